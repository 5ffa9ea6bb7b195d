-- One row per check and month: whether the run's scheduled_flights, flights, weather and quarantine may be published.
-- Reads: bronze.flights, bronze.weather; scheduled_flights, flights, weather and quarantine of this run.
-- Params: bronze, candidate, months (list of yyyy-mm).
with

months as (

    select month
    from (values {% for month in months %}('{{ month }}'){{ ", " if not loop.last }}{% endfor %}) as listed (month)

),

bronze_rows as (

    select
        year || '-' || month as month,
        count(*) as flight_count,
        0 as weather_count
    from {{ bronze }}.flights
    where year || '-' || month in ('{{ months | join("', '") }}')
        and year between '{{ (months | min)[:4] }}' and '{{ (months | max)[:4] }}'
        and month in ({% for month in months %}'{{ month[5:] }}'{{ ", " if not loop.last }}{% endfor %})
    group by 1

    union all

    select
        year || '-' || month as month,
        0 as flight_count,
        count(*) as weather_count
    from {{ bronze }}.weather
    where year || '-' || month in ('{{ months | join("', '") }}')
        and year between '{{ (months | min)[:4] }}' and '{{ (months | max)[:4] }}'
        and month in ({% for month in months %}'{{ month[5:] }}'{{ ", " if not loop.last }}{% endfor %})
    group by 1

),

rows_in as (

    select
        month,
        sum(flight_count) as flights_in,
        sum(weather_count) as weather_in
    from bronze_rows
    group by month

),

flight_keys as (

    select month, carrier, flight_number, origin, scheduled_departure_at, count(*) as row_count
    from {{ candidate.flights }}
    group by month, carrier, flight_number, origin, scheduled_departure_at

),

repeated_flights as (

    select month, count(*) as flights_repeated
    from flight_keys
    where row_count > 1
    group by month

),

scheduled_keys as (

    select month, carrier, flight_number, origin, scheduled_departure_at, count(*) as row_count
    from {{ candidate.scheduled_flights }}
    group by month, carrier, flight_number, origin, scheduled_departure_at

),

scheduled as (

    select
        month,
        sum(row_count) as scheduled_out,
        count_if(row_count > 1) as scheduled_repeated
    from scheduled_keys
    group by month

),

weather_keys as (

    select month, origin, observed_hour_at, count(*) as row_count
    from {{ candidate.weather }}
    group by month, origin, observed_hour_at

),

repeated_weather as (

    select month, count(*) as weather_repeated
    from weather_keys
    where row_count > 1
    group by month

),

flights as (

    select
        month,
        count(*) as flights_out,
        count_if(
            carrier is null or flight_number is null or origin is null or destination is null or flight_date is null
            or scheduled_departure_at is null or departed_at is null or arrived_at is null
            or scheduled_duration_minutes is null or distance_miles is null or is_late is null
        ) as flights_with_null,
        count_if(
            departure_delay_minutes not between -180 and 2880
            or arrival_delay_minutes not between -240 and 2880
            or distance_miles not between 1 and 6000
            or scheduled_duration_minutes not between 20 and 900
            or arrived_at < departed_at
        ) as flights_out_of_range,
        count_if(date_format(flight_date, '%Y-%m') <> month) as flights_of_other_month
    from {{ candidate.flights }}
    group by month

),

weather as (

    select
        month,
        count(*) as weather_out,
        count_if(
            temperature_fahrenheit not between -60 and 140
            or humidity_percent not between 0 and 100.5
            or wind_speed_mph not between 0 and 250
            or precipitation_inches not between 0 and 20
            or pressure_millibars not between 850 and 1100
        ) as weather_out_of_range
    from {{ candidate.weather }}
    group by month

),

quarantined as (

    select
        month,
        count_if(source_table = 'flights') as flights_quarantined,
        count_if(source_table = 'weather') as weather_quarantined,
        count_if(
            source_table = 'flights'
            and (reason like 'unparseable%' or reason like 'out of range%' or reason = 'duplicate key')
        ) as flights_broken,
        count_if(source_table = 'flights' and reason like 'no label%') as flights_unlabelled,
        count_if(source_table = 'flights' and reason like 'no such airport%') as flights_without_airport
    from {{ candidate.quarantine }}
    group by month

),

counted as (

    select
        months.month,
        coalesce(flights_in, 0) as flights_in,
        coalesce(flights_out, 0) as flights_out,
        coalesce(flights_quarantined, 0) as flights_quarantined,
        coalesce(flights_repeated, 0) as flights_repeated,
        coalesce(flights_with_null, 0) as flights_with_null,
        coalesce(flights_out_of_range, 0) as flights_out_of_range,
        coalesce(flights_of_other_month, 0) as flights_of_other_month,
        coalesce(flights_broken, 0) as flights_broken,
        coalesce(flights_without_airport, 0) as flights_without_airport,
        coalesce(flights_unlabelled, 0) as flights_unlabelled,
        coalesce(scheduled_out, 0) as scheduled_out,
        coalesce(scheduled_repeated, 0) as scheduled_repeated,
        coalesce(weather_in, 0) as weather_in,
        coalesce(weather_out, 0) as weather_out,
        coalesce(weather_quarantined, 0) as weather_quarantined,
        coalesce(weather_repeated, 0) as weather_repeated,
        coalesce(weather_out_of_range, 0) as weather_out_of_range
    from months
    left join rows_in on months.month = rows_in.month
    left join flights on months.month = flights.month
    left join repeated_flights on months.month = repeated_flights.month
    left join scheduled on months.month = scheduled.month
    left join weather on months.month = weather.month
    left join repeated_weather on months.month = repeated_weather.month
    left join quarantined on months.month = quarantined.month

),

checks as (

    select
        'flights: rows in = rows out + quarantined' as check_name,
        month,
        flights_in = flights_out + flights_quarantined as is_ok,
        cast(flights_in as varchar) || ' rows in bronze, ' || cast(flights_out as varchar) || ' in silver, '
        || cast(flights_quarantined as varchar) || ' quarantined' as detail
    from counted

    union all

    select
        'weather: rows in = rows out + quarantined' as check_name,
        month,
        weather_in = weather_out + weather_quarantined as is_ok,
        cast(weather_in as varchar) || ' rows in bronze, ' || cast(weather_out as varchar) || ' in silver, '
        || cast(weather_quarantined as varchar) || ' quarantined' as detail
    from counted

    union all

    select
        'flights: there are some' as check_name,
        month,
        flights_out > 0 as is_ok,
        cast(flights_out as varchar) || ' rows' as detail
    from counted

    union all

    select
        'flights: keys are unique' as check_name,
        month,
        flights_repeated = 0 as is_ok,
        cast(flights_repeated as varchar) || ' keys (carrier, flight_number, origin, scheduled_departure_at) repeat'
            as detail
    from counted

    union all

    select
        'scheduled_flights: flights with a label and without' as check_name,
        month,
        scheduled_out = flights_out + flights_unlabelled as is_ok,
        cast(scheduled_out as varchar) || ' rows for ' || cast(flights_out as varchar) || ' flights and '
        || cast(flights_unlabelled as varchar) || ' without a label' as detail
    from counted

    union all

    select
        'scheduled_flights: keys are unique' as check_name,
        month,
        scheduled_repeated = 0 as is_ok,
        cast(scheduled_repeated as varchar) || ' keys (carrier, flight_number, origin, scheduled_departure_at) repeat'
            as detail
    from counted

    union all

    select
        'weather: keys are unique' as check_name,
        month,
        weather_repeated = 0 as is_ok,
        cast(weather_repeated as varchar) || ' keys (origin, observed_hour_at) repeat' as detail
    from counted

    union all

    select
        'flights: required columns are filled' as check_name,
        month,
        flights_with_null = 0 as is_ok,
        cast(flights_with_null as varchar) || ' rows lack a key, a time, a distance or the label' as detail
    from counted

    union all

    select
        'flights: rows are of their month' as check_name,
        month,
        flights_of_other_month = 0 as is_ok,
        cast(flights_of_other_month as varchar) || ' rows have a date outside the month' as detail
    from counted

    union all

    -- A few wrong readings are the sources' daily life; one in a hundred means that a unit or a column has changed.
    select
        'flights: values are plausible' as check_name,
        month,
        flights_out_of_range * 100 <= flights_out as is_ok,
        cast(flights_out_of_range as varchar) || ' of ' || cast(flights_out as varchar)
        || ' rows have an implausible delay, distance or duration (at most 1 in 100 may)' as detail
    from counted

    union all

    select
        'weather: values are plausible' as check_name,
        month,
        weather_out_of_range * 100 <= weather_out as is_ok,
        cast(weather_out_of_range as varchar) || ' of ' || cast(weather_out as varchar)
        || ' rows have an implausible reading (at most 1 in 100 may)' as detail
    from counted

    union all

    select
        'flights: few are broken' as check_name,
        month,
        flights_broken * 10 <= flights_in as is_ok,
        cast(flights_broken as varchar) || ' of ' || cast(flights_in as varchar)
        || ' rows are unparseable, out of range or repeat a key (at most 1 in 10 may)' as detail
    from counted

    union all

    select
        'flights: few are lost to unknown airports' as check_name,
        month,
        flights_without_airport * 20 <= flights_in as is_ok,
        cast(flights_without_airport as varchar) || ' of ' || cast(flights_in as varchar)
        || ' rows name an airport that bronze.airports lacks (at most 1 in 20 may)' as detail
    from counted

)

select * from checks
order by month, check_name
