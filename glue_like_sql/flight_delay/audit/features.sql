-- One row per check and month: whether the run's flight_features may be published.
-- Reads: silver.flights (published); flight_features of this run.  Params: silver, candidate, months (list of yyyy-mm).
with

months as (

    select month
    from (values {% for month in months %}('{{ month }}'){{ ", " if not loop.last }}{% endfor %}) as listed (month)

),

flights as (

    select month, count(*) as flight_count
    from {{ silver }}.flights
    group by month

),

keys as (

    select month, carrier, flight_number, origin, scheduled_departure_at, count(*) as row_count
    from {{ candidate.flight_features }}
    group by month, carrier, flight_number, origin, scheduled_departure_at

),

repeated as (

    select month, count(*) as repeated_count
    from keys
    where row_count > 1
    group by month

),

features as (

    select
        month,
        count(*) as feature_count,
        count_if(is_late) as late_count,
        count_if(
            is_late is null or carrier is null or origin is null or destination is null or day_of_week is null
            or scheduled_hour is null or scheduled_minute is null or scheduled_duration_minutes is null
            or distance_miles is null or origin_scheduled_flight_count is null
        ) as with_null_count,
        count(temperature_fahrenheit) as with_weather_count
    from {{ candidate.flight_features }}
    group by month

),

counted as (

    select
        months.month,
        coalesce(flight_count, 0) as flight_count,
        coalesce(feature_count, 0) as feature_count,
        coalesce(repeated_count, 0) as repeated_count,
        coalesce(late_count, 0) as late_count,
        coalesce(with_null_count, 0) as with_null_count,
        coalesce(with_weather_count, 0) as with_weather_count
    from months
    left join flights on months.month = flights.month
    left join repeated on months.month = repeated.month
    left join features on months.month = features.month

),

checks as (

    select
        'flight_features: one row per flight' as check_name,
        month,
        feature_count = flight_count and feature_count > 0 as is_ok,
        cast(feature_count as varchar) || ' rows for ' || cast(flight_count as varchar) || ' flights' as detail
    from counted

    union all

    select
        'flight_features: keys are unique' as check_name,
        month,
        repeated_count = 0 as is_ok,
        cast(repeated_count as varchar) || ' keys (carrier, flight_number, origin, scheduled_departure_at) repeat'
            as detail
    from counted

    union all

    select
        'flight_features: required columns are filled' as check_name,
        month,
        with_null_count = 0 as is_ok,
        cast(with_null_count as varchar) || ' rows lack the label or a value of the schedule' as detail
    from counted

    union all

    select
        'flight_features: weather is known' as check_name,
        month,
        with_weather_count * 10 >= feature_count * 8 as is_ok,
        cast(with_weather_count as varchar) || ' of ' || cast(feature_count as varchar)
        || ' rows have weather (at least 8 in 10 must)' as detail
    from counted

    union all

    select
        'flight_features: both labels are there' as check_name,
        month,
        late_count * 20 >= feature_count and late_count * 20 <= feature_count * 15 as is_ok,
        cast(late_count as varchar) || ' of ' || cast(feature_count as varchar)
        || ' flights were late (5 to 75 in 100 is sound)' as detail
    from counted

)

select * from checks
order by month, check_name
