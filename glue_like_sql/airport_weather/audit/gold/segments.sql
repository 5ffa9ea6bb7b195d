-- One row per check and month: whether the run's airport_weather_segments may be published.
-- Reads: requests and airport_weather_segments of this run.
-- Params: requests, candidate, months (list of yyyy-mm).
with

months as (

    select month
    from (values {% for month in months %}('{{ month }}'){{ ", " if not loop.last }}{% endfor %}) as listed (month)

),

requests as (

    select
        record_key.origin,
        cast(record_key.flight_date as date) as flight_date,
        {% if months | length == 1 %}'{{ months[0] }}'{% else %}record_key.month{% endif %} as month
    from {{ requests }}

),

segments as (

    select * from {{ candidate.airport_weather_segments }}

),

compared as (

    select
        coalesce(requests.month, segments.month) as month,
        count_if(segments.origin is null) as lost_count,
        count_if(requests.origin is null) as stray_count,
        count(segments.origin) as segment_count,
        count(distinct segments.origin || cast(segments.flight_date as varchar)) as key_count,
        count_if(segments.origin is not null and (
            segments.segment is null or segments.segment < 0 or segments.segment_name is null
            or segments.distance is null or segments.distance < 0
        )) as senseless_count
    from requests
    full outer join segments
        on requests.origin = segments.origin
        and requests.flight_date = segments.flight_date
        and requests.month = segments.month
    group by coalesce(requests.month, segments.month)

),

counted as (

    select
        months.month,
        coalesce(lost_count, 0) as lost_count,
        coalesce(stray_count, 0) as stray_count,
        coalesce(segment_count, 0) as segment_count,
        coalesce(key_count, 0) as key_count,
        coalesce(senseless_count, 0) as senseless_count
    from months
    left join compared on months.month = compared.month

),

checks as (

    select
        'segments: there are some' as check_name,
        month,
        segment_count > 0 as is_ok,
        cast(segment_count as varchar) || ' rows' as detail
    from counted

    union all

    select
        'segments: one for each request' as check_name,
        month,
        lost_count = 0 and stray_count = 0 as is_ok,
        cast(lost_count as varchar) || ' requests without an answer, ' || cast(stray_count as varchar)
        || ' answers that nobody asked for' as detail
    from counted

    union all

    select
        'segments: keys are unique' as check_name,
        month,
        key_count = segment_count as is_ok,
        cast(segment_count - key_count as varchar) || ' keys (origin, flight_date) repeat' as detail
    from counted

    union all

    select
        'segments: answers make sense' as check_name,
        month,
        senseless_count = 0 as is_ok,
        cast(senseless_count as varchar) || ' rows lack a segment, its name, or a distance of 0 or more' as detail
    from counted

)

select * from checks
order by month, check_name
