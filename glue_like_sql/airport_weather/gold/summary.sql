-- One row per month: its segments in a few numbers.
-- Reads: gold.airport_weather_segments.  Params: gold, months (list of yyyy-mm).
with

counted as (

    select month, segment_name, count(*) as day_count
    from {{ gold }}.airport_weather_segments
    where month in ('{{ months | join("', '") }}')
    group by month, segment_name

)

select
    month,
    sum(day_count) as row_count,
    array_join(array_agg(segment_name || ' ' || cast(day_count as varchar) order by day_count desc), ', ') as segments
from counted
group by month
order by month
