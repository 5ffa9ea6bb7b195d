-- One row per bronze weather observation of the months: typed, with the reason it can't be used (null = usable).
-- Reads: bronze.weather.  Params: bronze, months (list of yyyy-mm).
{% from "contract.sql" import outside with context %}
with

raw_weather as (

    select
        year || '-' || month as month,
        nullif(nullif(trim(origin), ''), 'NA') as origin,
        nullif(nullif(trim(day), ''), 'NA') as day,
        nullif(nullif(trim(hour), ''), 'NA') as hour,
        nullif(nullif(trim(temp), ''), 'NA') as temp,
        nullif(nullif(trim(dewp), ''), 'NA') as dewp,
        nullif(nullif(trim(humid), ''), 'NA') as humid,
        nullif(nullif(trim(wind_dir), ''), 'NA') as wind_dir,
        nullif(nullif(trim(wind_speed), ''), 'NA') as wind_speed,
        nullif(nullif(trim(wind_gust), ''), 'NA') as wind_gust,
        nullif(nullif(trim(precip), ''), 'NA') as precip,
        nullif(nullif(trim(pressure), ''), 'NA') as pressure,
        nullif(nullif(trim(visib), ''), 'NA') as visib,
        nullif(nullif(trim(time_hour), ''), 'NA') as time_hour
    from {{ bronze }}.weather
    where year || '-' || month in ('{{ months | join("', '") }}')
        -- The same of each key, by which Athena knows which folders to look into.
        and year between '{{ (months | min)[:4] }}' and '{{ (months | max)[:4] }}'
        and month in ({% for month in months %}'{{ month[5:] }}'{{ ", " if not loop.last }}{% endfor %})

),

typed as (

    select
        *,
        cast(month || '-01' as timestamp(3)) as month_begins_at,
        try_cast(replace(replace(time_hour, 'T', ' '), 'Z', '') as timestamp(3)) as observed_hour_at,
        try_cast(temp as double) as temperature_fahrenheit,
        try_cast(dewp as double) as dew_point_fahrenheit,
        try_cast(humid as double) as humidity_percent,
        try_cast(wind_dir as double) as wind_direction_degrees,
        try_cast(wind_speed as double) as wind_speed_mph,
        try_cast(wind_gust as double) as wind_gust_mph,
        try_cast(precip as double) as precipitation_inches,
        try_cast(pressure as double) as pressure_millibars,
        try_cast(visib as double) as visibility_miles
    from raw_weather

),

parsed as (

    select
        *,
        nullif(concat_ws(', ',
            if(origin is null, 'origin'),
            if(temp is not null and temperature_fahrenheit is null, 'temp'),
            if(dewp is not null and dew_point_fahrenheit is null, 'dewp'),
            if(humid is not null and humidity_percent is null, 'humid'),
            if(wind_dir is not null and wind_direction_degrees is null, 'wind_dir'),
            if(wind_speed is not null and wind_speed_mph is null, 'wind_speed'),
            if(wind_gust is not null and wind_gust_mph is null, 'wind_gust'),
            if(precip is not null and precipitation_inches is null, 'precip'),
            if(pressure is not null and pressure_millibars is null, 'pressure'),
            if(visib is not null and visibility_miles is null, 'visib'),
            if(observed_hour_at is null, 'time_hour')
        ), '') as unparseable_columns,
        -- NaN and infinity are in no range.
        nullif(concat_ws(', ',
            {{ outside('weather', 'temp', 'temperature_fahrenheit') }},
            {{ outside('weather', 'dewp', 'dew_point_fahrenheit') }},
            {{ outside('weather', 'humid', 'humidity_percent') }},
            {{ outside('weather', 'wind_dir', 'wind_direction_degrees') }},
            {{ outside('weather', 'wind_speed', 'wind_speed_mph') }},
            {{ outside('weather', 'wind_gust', 'wind_gust_mph') }},
            {{ outside('weather', 'precip', 'precipitation_inches') }},
            {{ outside('weather', 'pressure', 'pressure_millibars') }},
            {{ outside('weather', 'visib', 'visibility_miles') }},
            -- An hour, UTC, of the file's month on the station's clock.
            if(
                observed_hour_at <> date_trunc('hour', observed_hour_at)
                or observed_hour_at < date_add('hour', -14, month_begins_at)
                or observed_hour_at >= date_add('hour', 12, date_add('month', 1, month_begins_at)),
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
            when out_of_range_columns is not null then 'out of range: ' || out_of_range_columns
        end as unusable_reason
    from parsed

),

ranked as (

    select
        *,
        row_number() over (
            partition by origin, observed_hour_at
            order by
                unusable_reason nulls first,
                temp, dewp, humid, wind_dir, wind_speed, wind_gust, precip, pressure, visib,
                day, hour, time_hour, month
        ) as rank_in_key
    from judged

),

reasoned as (

    select
        *,
        case
            when unusable_reason is not null then unusable_reason
            when rank_in_key > 1 then 'duplicate key'
        end as quarantine_reason
    from ranked

),

checked_weather as (

    select
        origin,
        observed_hour_at,
        -- An hour's observation is made within that hour (reports come at minute 51): it is known when the hour is over.
        date_add('hour', 1, observed_hour_at) as known_at,
        temperature_fahrenheit,
        dew_point_fahrenheit,
        humidity_percent,
        wind_direction_degrees,
        wind_speed_mph,
        wind_gust_mph,
        precipitation_inches,
        pressure_millibars,
        visibility_miles,
        quarantine_reason,
        if(quarantine_reason is not null, cast(json_object(
            'month': month, 'origin': origin, 'day': day, 'hour': hour, 'temp': temp, 'dewp': dewp, 'humid': humid,
            'wind_dir': wind_dir, 'wind_speed': wind_speed, 'wind_gust': wind_gust, 'precip': precip,
            'pressure': pressure, 'visib': visib, 'time_hour': time_hour
        ) as varchar)) as raw_row,
        month
    from reasoned

)

select * from checked_weather
