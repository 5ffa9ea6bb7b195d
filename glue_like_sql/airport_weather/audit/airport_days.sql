-- One row per check and month: whether the run's airport_days and airport_days_quarantine may be published.
-- Reads: silver.scheduled_flights; airport_days and airport_days_quarantine of this run.
-- Params: silver, candidate, months (list of yyyy-mm).
with

months as (

    select month
    from (values {% for month in months %}('{{ month }}'){{ ", " if not loop.last }}{% endfor %}) as listed (month)

),

scheduled as (

    select month, count(distinct origin || cast(flight_date as varchar)) as day_count
    from {{ silver }}.scheduled_flights
    where month in ('{{ months | join("', '") }}')
    group by month

),

quarantined as (

    select month, count(*) as quarantined_count
    from {{ candidate.airport_days_quarantine }}
    group by month

),

days as (

    select
        month,
        count(*) as usable_count,
        count(distinct origin || cast(flight_date as varchar)) as key_count,
        count_if(
            cancelled_share is null or late_departure_share is null or departure_delay_minutes is null
            or humidity_percent is null or wind_speed_mph is null or precipitation_inches is null
            or visibility_miles is null
        ) as with_null_count,
        count_if(
            cancelled_share not between 0 and 1 or late_departure_share not between 0 and 1
            or departure_delay_minutes not between 0 and 3000 or humidity_percent not between 0 and 100.5
            or wind_speed_mph not between 0 and 250 or precipitation_inches not between 0 and 40
            or visibility_miles not between 0 and 100
        ) as out_of_range_count
    from {{ candidate.airport_days }}
    group by month

),

counted as (

    select
        months.month,
        coalesce(day_count, 0) as day_count,
        coalesce(usable_count, 0) as usable_count,
        coalesce(key_count, 0) as key_count,
        coalesce(quarantined_count, 0) as quarantined_count,
        coalesce(with_null_count, 0) as with_null_count,
        coalesce(out_of_range_count, 0) as out_of_range_count
    from months
    left join scheduled on months.month = scheduled.month
    left join days on months.month = days.month
    left join quarantined on months.month = quarantined.month

),

checks as (

    select
        'airport_days: days in = days out + quarantined' as check_name,
        month,
        day_count = usable_count + quarantined_count and day_count > 0 as is_ok,
        cast(day_count as varchar) || ' days with flights, ' || cast(usable_count as varchar) || ' usable, '
        || cast(quarantined_count as varchar) || ' quarantined' as detail
    from counted

    union all

    select
        'airport_days: keys are unique' as check_name,
        month,
        key_count = usable_count as is_ok,
        cast(usable_count - key_count as varchar) || ' keys (origin, flight_date) repeat' as detail
    from counted

    union all

    select
        'airport_days: features are filled' as check_name,
        month,
        with_null_count = 0 as is_ok,
        cast(with_null_count as varchar) || ' rows lack a feature' as detail
    from counted

    union all

    select
        'airport_days: values are plausible' as check_name,
        month,
        out_of_range_count = 0 as is_ok,
        cast(out_of_range_count as varchar) || ' rows have an implausible share, delay or reading' as detail
    from counted

    union all

    select
        'airport_days: few can''t be used' as check_name,
        month,
        quarantined_count * 5 <= day_count as is_ok,
        cast(quarantined_count as varchar) || ' of ' || cast(day_count as varchar) || ' days (at most 1 in 5 may)' as detail
    from counted

)

select * from checks
order by month, check_name
