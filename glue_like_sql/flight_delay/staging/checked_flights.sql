-- One row per bronze flight of the months: typed, with the reason it can't be used (null = usable).
-- Reads: bronze.flights, bronze.airports.  Params: bronze, months (list of yyyy-mm).
{% from "contract.sql" import outside with context %}
with

raw_flights as (

    select
        year || '-' || month as month,
        nullif(nullif(trim(flight_year), ''), 'NA') as year,
        nullif(nullif(trim(flight_month), ''), 'NA') as month_of_year,
        nullif(nullif(trim(day), ''), 'NA') as day,
        nullif(nullif(trim(dep_time), ''), 'NA') as dep_time,
        nullif(nullif(trim(sched_dep_time), ''), 'NA') as sched_dep_time,
        nullif(nullif(trim(dep_delay), ''), 'NA') as dep_delay,
        nullif(nullif(trim(arr_time), ''), 'NA') as arr_time,
        nullif(nullif(trim(sched_arr_time), ''), 'NA') as sched_arr_time,
        nullif(nullif(trim(arr_delay), ''), 'NA') as arr_delay,
        nullif(nullif(trim(carrier), ''), 'NA') as carrier,
        nullif(nullif(trim(flight), ''), 'NA') as flight,
        nullif(nullif(trim(tailnum), ''), 'NA') as tailnum,
        nullif(nullif(trim(origin), ''), 'NA') as origin,
        nullif(nullif(trim(dest), ''), 'NA') as dest,
        nullif(nullif(trim(air_time), ''), 'NA') as air_time,
        nullif(nullif(trim(distance), ''), 'NA') as distance,
        nullif(nullif(trim(hour), ''), 'NA') as hour,
        nullif(nullif(trim(minute), ''), 'NA') as minute,
        nullif(nullif(trim(time_hour), ''), 'NA') as time_hour
    from {{ bronze }}.flights
    where year || '-' || month in ('{{ months | join("', '") }}')
        -- The same of each key, by which Athena knows which folders to look into.
        and year between '{{ (months | min)[:4] }}' and '{{ (months | max)[:4] }}'
        and month in ({% for month in months %}'{{ month[5:] }}'{{ ", " if not loop.last }}{% endfor %})

),

airports as (

    select
        faa,
        try_cast(tz as integer) as utc_offset_hours,
        dst = 'A' as has_daylight_saving
    from {{ bronze }}.airports

),

typed as (

    select
        *,
        try_cast(flight as integer) as flight_number,
        if(
            length(month_of_year) <= 2 and length(day) <= 2,
            try_cast(year || '-' || lpad(month_of_year, 2, '0') || '-' || lpad(day, 2, '0') as date)
        ) as flight_date,
        -- Through smallint, so that no number in a file is large enough to overflow a sum and fail the query.
        cast(try_cast(hour as smallint) as integer) as scheduled_hour,
        cast(try_cast(minute as smallint) as integer) as scheduled_minute,
        -- UTC, as is every column whose name ends in _at.
        try_cast(replace(replace(time_hour, 'T', ' '), 'Z', '') as timestamp(3)) as scheduled_hour_at,
        if(regexp_like(sched_arr_time, '^[0-9]{1,4}$'), cast(substr(lpad(sched_arr_time, 4, '0'), 1, 2) as integer))
            as arrival_clock_hour,
        if(regexp_like(sched_arr_time, '^[0-9]{1,4}$'), cast(substr(lpad(sched_arr_time, 4, '0'), 3, 2) as integer))
            as arrival_clock_minute,
        cast(try_cast(dep_delay as smallint) as integer) as departure_delay_minutes,
        cast(try_cast(arr_delay as smallint) as integer) as arrival_delay_minutes,
        cast(try_cast(air_time as smallint) as integer) as air_time_minutes,
        try_cast(distance as double) as distance_miles
    from raw_flights

),

parsed as (

    select
        *,
        date_add('minute', scheduled_minute, scheduled_hour_at) as scheduled_departure_at,
        nullif(concat_ws(', ',
            if(flight_date is null, 'day'),
            if(arrival_clock_hour is null, 'sched_arr_time'),
            if((dep_delay is not null or arr_delay is not null) and departure_delay_minutes is null, 'dep_delay'),
            if(arr_delay is not null and arrival_delay_minutes is null, 'arr_delay'),
            if(carrier is null, 'carrier'),
            if(flight_number is null, 'flight'),
            if(origin is null, 'origin'),
            if(dest is null, 'dest'),
            if(air_time is not null and air_time_minutes is null, 'air_time'),
            if(distance_miles is null, 'distance'),
            if(scheduled_hour is null, 'hour'),
            if(scheduled_minute is null, 'minute'),
            if(scheduled_hour_at is null, 'time_hour')
        ), '') as unparseable_columns,
        -- Wider than all that has flown (delays of 2013: -86 to 1301 minutes), and narrow enough for the features: none
        -- leaves or lands two hours early, before the last predictions of the day before, or days late.
        nullif(concat_ws(', ',
            if(arrival_clock_minute > 59 or arrival_clock_hour * 60 + arrival_clock_minute > 1440, 'sched_arr_time'),
            {{ outside('flights', 'dep_delay', 'departure_delay_minutes') }},
            {{ outside('flights', 'arr_delay', 'arrival_delay_minutes') }},
            {{ outside('flights', 'air_time', 'air_time_minutes') }},
            {{ outside('flights', 'distance', 'distance_miles') }},
            {{ outside('flights', 'hour', 'scheduled_hour') }},
            {{ outside('flights', 'minute', 'scheduled_minute') }},
            -- UTC and the same hour on the origin's clock: no clock on Earth is further from UTC.
            if(
                scheduled_hour_at <> date_trunc('hour', scheduled_hour_at)
                or date_diff('hour', cast(flight_date as timestamp(3)), scheduled_hour_at) - scheduled_hour
                    not between -14 and 12,
                'time_hour'
            )
        ), '') as out_of_range_columns
    from typed

),

judged as (

    select
        *,
        case
            when unparseable_columns is not null then 'unparseable: ' || unparseable_columns
            when date_format(flight_date, '%Y-%m') <> month then 'unparseable: month is not that of the file'
            when out_of_range_columns is not null then 'out of range: ' || out_of_range_columns
        end as unusable_reason
    from parsed

),

ranked as (

    select
        *,
        -- The same flight twice: a usable row counts before one that isn't, then one with a label. Every column is
        -- among what decides, so that which row wins is never left to the order in which they are read.
        row_number() over (
            partition by carrier, flight_number, origin, scheduled_departure_at
            order by
                unusable_reason nulls first,
                arrival_delay_minutes nulls last,
                departure_delay_minutes nulls last,
                tailnum, air_time, dest, sched_arr_time, distance, sched_dep_time, dep_time, arr_time,
                year, month_of_year, day, hour, minute, time_hour, flight, dep_delay, arr_delay, month
        ) as rank_in_key
    from judged

),

located as (

    select
        ranked.*,
        -- The schedule is known early, so flights that were cancelled later count as well.
        count_if(unusable_reason is null and rank_in_key = 1) over (
            partition by origin, scheduled_hour_at
        ) as origin_scheduled_flight_count,
        -- Arrival is on the destination's clock, without a date: no flight here takes a day. That the origin's clock
        -- stands further ahead than its standard offset says that daylight saving is on.
        mod(
            arrival_clock_hour * 60 + arrival_clock_minute
            - (hour(scheduled_hour_at) * 60 + scheduled_minute)
            - 60 * (
                destinations.utc_offset_hours
                + if(
                    destinations.has_daylight_saving
                    and mod(scheduled_hour - hour(scheduled_hour_at) - origins.utc_offset_hours + 48, 24) = 1, 1, 0
                )
            )
            + 2880, 1440
        ) as scheduled_duration_minutes,
        case
            when unusable_reason is not null then unusable_reason
            when rank_in_key > 1 then 'duplicate key'
            when origins.faa is null then 'no such airport: ' || origin
            when destinations.faa is null then 'no such airport: ' || dest
            when arrival_delay_minutes is null and departure_delay_minutes is null then 'no label: cancelled'
            when arrival_delay_minutes is null then 'no label: diverted'
        end as quarantine_reason
    from ranked
    left join airports as origins on ranked.origin = origins.faa
    left join airports as destinations on ranked.dest = destinations.faa

),

checked_flights as (

    select
        carrier,
        flight_number,
        tailnum as tail_number,
        origin,
        dest as destination,
        flight_date,
        scheduled_hour,
        scheduled_minute,
        scheduled_departure_at,
        date_add('minute', scheduled_duration_minutes, scheduled_departure_at) as scheduled_arrival_at,
        date_add('minute', departure_delay_minutes, scheduled_departure_at) as departed_at,
        date_add('minute', scheduled_duration_minutes + arrival_delay_minutes, scheduled_departure_at) as arrived_at,
        scheduled_duration_minutes,
        departure_delay_minutes,
        arrival_delay_minutes,
        air_time_minutes,
        distance_miles,
        origin_scheduled_flight_count,
        arrival_delay_minutes > 15 as is_late,
        quarantine_reason,
        if(quarantine_reason is not null, cast(json_object(
            'year': year, 'month': month_of_year, 'day': day, 'dep_time': dep_time, 'sched_dep_time': sched_dep_time,
            'dep_delay': dep_delay, 'arr_time': arr_time, 'sched_arr_time': sched_arr_time, 'arr_delay': arr_delay,
            'carrier': carrier, 'flight': flight, 'tailnum': tailnum, 'origin': origin, 'dest': dest,
            'air_time': air_time, 'distance': distance, 'hour': hour, 'minute': minute, 'time_hour': time_hour
        ) as varchar)) as raw_row,
        month
    from located

)

select * from checked_flights
