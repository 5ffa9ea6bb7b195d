-- One row per flight of silver.flights: what was known two hours before scheduled departure, and whether it came in late.
-- Reads: silver.scheduled_flights and silver.weather (the months and the one before), silver.flights, bronze.planes.
-- Params: bronze, silver, months (list of yyyy-mm).
with

-- All that was scheduled: which flights get no label (cancelled, diverted) may not be known by the time of asking.
scheduled as (

    select
        *,
        lag(scheduled_departure_at) over plane as plane_previous_departure_at,
        lag(scheduled_arrival_at) over plane as plane_previous_arrival_at
    from {{ silver }}.scheduled_flights
    where month between date_format(date_add('month', -1, date '{{ months | min }}-01'), '%Y-%m') and '{{ months | max }}'
    window plane as (
        partition by tail_number
        order by scheduled_departure_at, scheduled_arrival_at, carrier, flight_number, origin
    )

),

flights as (

    select
        labelled.*,
        date_add('hour', -2, labelled.scheduled_departure_at) as predicted_at,
        scheduled.plane_previous_departure_at,
        scheduled.plane_previous_arrival_at
    from {{ silver }}.flights as labelled
    inner join scheduled
        on labelled.carrier = scheduled.carrier
        and labelled.flight_number = scheduled.flight_number
        and labelled.origin = scheduled.origin
        and labelled.scheduled_departure_at = scheduled.scheduled_departure_at
    where labelled.month in ('{{ months | join("', '") }}')

),

-- What happens at an airport, in order: departures and arrivals become known, and predictions are asked for.
events as (

    select
        carrier, flight_number, tail_number, origin, destination, scheduled_departure_at,
        departed_at as event_at,
        cast(departure_delay_minutes as double) as departure_delay_minutes,
        cast(null as double) as arrival_delay_minutes,
        false as is_prediction
    from scheduled
    where departed_at is not null

    union all

    select
        carrier, flight_number, tail_number, origin, destination, scheduled_departure_at,
        arrived_at as event_at,
        cast(null as double) as departure_delay_minutes,
        cast(arrival_delay_minutes as double) as arrival_delay_minutes,
        false as is_prediction
    from scheduled
    where arrived_at is not null

    union all

    select
        carrier, flight_number, tail_number, origin, destination, scheduled_departure_at,
        predicted_at as event_at,
        cast(null as double) as departure_delay_minutes,
        cast(null as double) as arrival_delay_minutes,
        true as is_prediction
    from flights

),

timed as (

    select
        *,
        -- One value for all that becomes known of a plane in the same minute, so that any of them may be the last.
        max(coalesce(arrival_delay_minutes, departure_delay_minutes)) over (
            partition by tail_number, event_at
        ) as plane_delay_minutes
    from events

),

rolled as (

    select
        carrier,
        flight_number,
        origin,
        scheduled_departure_at,
        is_prediction,
        count(departure_delay_minutes) over origin_1h as origin_departure_count_1h,
        avg(departure_delay_minutes) over origin_1h as origin_departure_delay_minutes_1h,
        avg(departure_delay_minutes) over origin_3h as origin_departure_delay_minutes_3h,
        avg(case when departure_delay_minutes > 15 then 1e0 when departure_delay_minutes <= 15 then 0e0 end) over origin_3h
            as origin_late_departure_share_3h,
        avg(departure_delay_minutes) over origin_24h as origin_departure_delay_minutes_24h,
        avg(arrival_delay_minutes) over origin_3h as origin_arrival_delay_minutes_3h,
        avg(departure_delay_minutes) over carrier_3h as carrier_departure_delay_minutes_3h,
        avg(departure_delay_minutes) over carrier_24h as carrier_departure_delay_minutes_24h,
        avg(arrival_delay_minutes) over carrier_7d as carrier_arrival_delay_minutes_7d,
        avg(arrival_delay_minutes) over destination_3h as destination_arrival_delay_minutes_3h,
        avg(arrival_delay_minutes) over destination_24h as destination_arrival_delay_minutes_24h,
        avg(arrival_delay_minutes) over route_7d as route_arrival_delay_minutes_7d,
        avg(arrival_delay_minutes) over flight_21d as flight_arrival_delay_minutes_21d,
        avg(case when arrival_delay_minutes > 15 then 1e0 when arrival_delay_minutes <= 15 then 0e0 end) over flight_21d
            as flight_late_arrival_share_21d,
        if(
            tail_number is not null,
            last_value(plane_delay_minutes) ignore nulls over plane_24h
        ) as plane_last_delay_minutes_24h,
        if(
            tail_number is not null,
            date_diff('minute', max(if(not is_prediction, event_at)) over plane_24h, event_at)
        ) as plane_idle_minutes_24h
    from timed
    window
        origin_1h as (
            partition by origin order by event_at
            range between interval '1' hour preceding and current row
        ),
        origin_3h as (
            partition by origin order by event_at
            range between interval '3' hour preceding and current row
        ),
        origin_24h as (
            partition by origin order by event_at
            range between interval '24' hour preceding and current row
        ),
        carrier_3h as (
            partition by origin, carrier order by event_at
            range between interval '3' hour preceding and current row
        ),
        carrier_24h as (
            partition by origin, carrier order by event_at
            range between interval '24' hour preceding and current row
        ),
        carrier_7d as (
            partition by origin, carrier order by event_at
            range between interval '7' day preceding and current row
        ),
        destination_3h as (
            partition by destination order by event_at
            range between interval '3' hour preceding and current row
        ),
        destination_24h as (
            partition by destination order by event_at
            range between interval '24' hour preceding and current row
        ),
        route_7d as (
            partition by origin, destination order by event_at
            range between interval '7' day preceding and current row
        ),
        -- The longest window: with delays of up to two days it still lies within the month before, February too.
        flight_21d as (
            partition by carrier, flight_number, destination order by event_at
            range between interval '21' day preceding and current row
        ),
        plane_24h as (
            partition by tail_number order by event_at
            range between interval '24' hour preceding and current row
        )

),

observations as (

    select
        *,
        lead(known_at) over (partition by origin order by known_at) as replaced_at
    from {{ silver }}.weather
    where month between date_format(date_add('month', -1, date '{{ months | min }}-01'), '%Y-%m') and '{{ months | max }}'

),

-- Observations come on the hour, with gaps: each counts until the next, for six hours at most.
weather as (

    select
        observations.*,
        date_add('hour', hours.passed, known_at) as valid_hour_at
    from observations
    cross join (values 0, 1, 2, 3, 4, 5) as hours (passed)
    where replaced_at is null or date_add('hour', hours.passed, known_at) < replaced_at

),

planes as (

    -- Grouped, so that an aircraft listed twice doesn't double its flights.
    select
        tailnum,
        max(try_cast(year as integer)) as manufactured_year,
        max(nullif(manufacturer, 'NA')) as manufacturer,
        max(nullif(engine, 'NA')) as engine,
        max(try_cast(engines as integer)) as engine_count,
        max(try_cast(seats as integer)) as seat_count
    from {{ bronze }}.planes
    group by tailnum

),

flight_features as (

    select
        flights.is_late,
        flights.carrier,
        flights.flight_number,
        flights.tail_number,
        flights.origin,
        flights.destination,
        flights.scheduled_departure_at,

        month(flights.flight_date) as month_of_year,
        day(flights.flight_date) as day_of_month,
        day_of_week(flights.flight_date) as day_of_week,
        flights.scheduled_hour,
        flights.scheduled_minute,
        flights.scheduled_duration_minutes,
        flights.distance_miles,
        flights.origin_scheduled_flight_count,

        year(flights.flight_date) - planes.manufactured_year as plane_age_years,
        planes.manufacturer as plane_manufacturer,
        planes.engine as plane_engine,
        planes.engine_count as plane_engine_count,
        planes.seat_count as plane_seat_count,
        -- From its last scheduled landing elsewhere to this departure: the schedule's slack, if it flew this week.
        if(
            flights.tail_number is not null
            and flights.plane_previous_departure_at between date_add('day', -7, flights.predicted_at)
            and flights.predicted_at,
            date_diff('minute', flights.plane_previous_arrival_at, flights.scheduled_departure_at)
        ) as plane_turn_minutes,

        weather.temperature_fahrenheit,
        weather.dew_point_fahrenheit,
        weather.humidity_percent,
        weather.wind_direction_degrees,
        weather.wind_speed_mph,
        weather.wind_gust_mph,
        weather.precipitation_inches,
        weather.pressure_millibars,
        weather.visibility_miles,

        rolled.origin_departure_count_1h,
        rolled.origin_departure_delay_minutes_1h,
        rolled.origin_departure_delay_minutes_3h,
        rolled.origin_late_departure_share_3h,
        rolled.origin_departure_delay_minutes_24h,
        rolled.origin_arrival_delay_minutes_3h,
        rolled.carrier_departure_delay_minutes_3h,
        rolled.carrier_departure_delay_minutes_24h,
        rolled.carrier_arrival_delay_minutes_7d,
        rolled.destination_arrival_delay_minutes_3h,
        rolled.destination_arrival_delay_minutes_24h,
        rolled.route_arrival_delay_minutes_7d,
        rolled.flight_arrival_delay_minutes_21d,
        rolled.flight_late_arrival_share_21d,
        rolled.plane_last_delay_minutes_24h,
        rolled.plane_idle_minutes_24h,

        flights.month
    from flights
    inner join rolled
        on rolled.is_prediction
        and flights.carrier = rolled.carrier
        and flights.flight_number = rolled.flight_number
        and flights.origin = rolled.origin
        and flights.scheduled_departure_at = rolled.scheduled_departure_at
    left join planes on flights.tail_number = planes.tailnum
    left join weather
        on flights.origin = weather.origin
        and date_trunc('hour', flights.predicted_at) = weather.valid_hour_at

)

select * from flight_features
