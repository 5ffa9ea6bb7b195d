-- One row per airport and day with flights on the schedule: how they left, the weather over these hours, and the reason
-- why the day can't be used (null = usable).
-- Reads: silver.scheduled_flights, silver.weather.  Params: silver, months (list of yyyy-mm).
with

scheduled_flights as (

    select
        month,
        origin,
        flight_date,
        date_trunc('hour', scheduled_departure_at) as scheduled_hour_at,
        departure_delay_minutes
    from {{ silver }}.scheduled_flights
    where month in ('{{ months | join("', '") }}')

),

weather as (

    select *
    from {{ silver }}.weather
    where month in ('{{ months | join("', '") }}')

),

departures as (

    select
        month,
        origin,
        flight_date,
        min(scheduled_hour_at) as first_hour_at,
        max(scheduled_hour_at) as last_hour_at,
        count(*) as scheduled_flight_count,
        count(departure_delay_minutes) as departed_flight_count,
        avg(if(departure_delay_minutes is null, 1e0, 0e0)) as cancelled_share,
        avg(if(departure_delay_minutes > 15, 1e0, 0e0)) filter (where departure_delay_minutes is not null)
            as late_departure_share,
        avg(cast(greatest(departure_delay_minutes, 0) as double)) as departure_delay_minutes
    from scheduled_flights
    group by month, origin, flight_date

),

days as (

    select
        departures.month,
        departures.origin,
        departures.flight_date,
        departures.scheduled_flight_count,
        departures.departed_flight_count,
        departures.cancelled_share,
        departures.late_departure_share,
        departures.departure_delay_minutes,
        date_diff('hour', departures.first_hour_at, departures.last_hour_at) + 1 as hour_count,
        count(weather.observed_hour_at) as observation_count,
        avg(weather.temperature_fahrenheit) as temperature_fahrenheit,
        avg(weather.humidity_percent) as humidity_percent,
        avg(weather.wind_speed_mph) as wind_speed_mph,
        sum(weather.precipitation_inches) as precipitation_inches,
        min(weather.visibility_miles) as visibility_miles
    from departures
    left join weather
        on departures.month = weather.month
        and departures.origin = weather.origin
        and weather.observed_hour_at between departures.first_hour_at and departures.last_hour_at
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9

)

select
    origin,
    flight_date,
    day_of_week(flight_date) as day_of_week,
    scheduled_flight_count,
    departed_flight_count,
    cancelled_share,
    -- On a day on which nothing left, nothing left on time.
    coalesce(late_departure_share, 1e0) as late_departure_share,
    coalesce(departure_delay_minutes, 0e0) as departure_delay_minutes,
    temperature_fahrenheit,
    humidity_percent,
    wind_speed_mph,
    precipitation_inches,
    visibility_miles,
    case
        when scheduled_flight_count < 20 then 'too few flights: ' || cast(scheduled_flight_count as varchar)
        when observation_count * 2 < hour_count then
            'too little weather: ' || cast(observation_count as varchar) || ' of ' || cast(hour_count as varchar) || ' hours'
        when humidity_percent is null or wind_speed_mph is null or precipitation_inches is null or visibility_miles is null
            then 'too little weather: a reading is missing all day'
    end as quarantine_reason,
    month
from days
