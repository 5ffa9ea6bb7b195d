-- One row per airport and day: how flights left, and the weather over these hours.
-- Reads: checked_airport_days of this run.  Params: candidate.
select
    origin,
    flight_date,
    day_of_week,
    scheduled_flight_count,
    departed_flight_count,
    cancelled_share,
    late_departure_share,
    departure_delay_minutes,
    temperature_fahrenheit,
    humidity_percent,
    wind_speed_mph,
    precipitation_inches,
    visibility_miles,
    month
from {{ candidate.checked_airport_days }}
where quarantine_reason is null
