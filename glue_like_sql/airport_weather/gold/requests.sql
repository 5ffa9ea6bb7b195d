-- One row per airport and day of the months: its key, and what the model is told of it, as requests of a batch transform.
-- Reads: silver.airport_days.  Params: silver, months (list of yyyy-mm).
{% set features = ["departure_delay_minutes", "precipitation_inches", "cancelled_share", "late_departure_share",
    "wind_speed_mph", "visibility_miles", "humidity_percent"] %}
select
    cast(
        row(origin, cast(flight_date as varchar), month)
        as row(origin varchar, flight_date varchar, month varchar)
    ) as record_key,
    cast(
        row({{ features | join(", ") }})
        as row({% for name in features %}{{ name }} double{{ ", " if not loop.last }}{% endfor %})
    ) as features
from {{ silver }}.airport_days
where month in ('{{ months | join("', '") }}')
