-- One row per airport and day of the split's months: the key, the model's features, and what the evaluation slices by.
-- Reads: silver.airport_days.  Params: silver, months (list of yyyy-mm).
select
    cast(flight_date as varchar) as flight_date,
    origin,
    day_of_week,
    cancelled_share,
    late_departure_share,
    departure_delay_minutes,
    humidity_percent,
    wind_speed_mph,
    precipitation_inches,
    visibility_miles,
    month
from {{ silver }}.airport_days
where month in ('{{ months | join("', '") }}')
