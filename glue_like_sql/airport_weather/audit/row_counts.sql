-- One row per month of airport-days: rows in (days with flights on the schedule), out (with features) and quarantined.
-- Reads: silver.scheduled_flights, silver.airport_days, silver.airport_days_quarantine.
-- Params: silver, months (list of yyyy-mm).
with

scheduled_days as (

    select distinct month, origin, flight_date
    from {{ silver }}.scheduled_flights
    where month in ('{{ months | join("', '") }}')

),

counted as (

    select month, 1 as rows_in, 0 as rows_out, 0 as rows_quarantined from scheduled_days

    union all

    select month, 0 as rows_in, 1 as rows_out, 0 as rows_quarantined from {{ silver }}.airport_days

    union all

    select month, 0 as rows_in, 0 as rows_out, 1 as rows_quarantined from {{ silver }}.airport_days_quarantine

)

select
    month,
    sum(rows_in) as rows_in,
    sum(rows_out) as rows_out,
    sum(rows_quarantined) as rows_quarantined
from counted
where month in ('{{ months | join("', '") }}')
group by month
order by month
