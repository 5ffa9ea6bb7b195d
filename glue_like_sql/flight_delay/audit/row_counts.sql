-- One row per month of flights: rows in (bronze), out (with features) and quarantined, as published.
-- Reads: bronze.flights, silver.flight_features, silver.quarantine.  Params: bronze, silver, months (list of yyyy-mm).
with

counted as (

    select year || '-' || month as month, 1 as rows_in, 0 as rows_out, 0 as rows_quarantined
    from {{ bronze }}.flights
    where year || '-' || month in ('{{ months | join("', '") }}')
        and year between '{{ (months | min)[:4] }}' and '{{ (months | max)[:4] }}'
        and month in ({% for month in months %}'{{ month[5:] }}'{{ ", " if not loop.last }}{% endfor %})

    union all

    select month, 0 as rows_in, 1 as rows_out, 0 as rows_quarantined from {{ silver }}.flight_features

    union all

    select month, 0 as rows_in, 0 as rows_out, 1 as rows_quarantined
    from {{ silver }}.quarantine
    where source_table = 'flights'

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
