-- One row per origin and hour: the weather observed there, and when that is known.
-- Reads: checked_weather of this run.  Params: candidate.
select
    origin,
    observed_hour_at,
    known_at,
    temperature_fahrenheit,
    dew_point_fahrenheit,
    humidity_percent,
    wind_direction_degrees,
    wind_speed_mph,
    wind_gust_mph,
    precipitation_inches,
    pressure_millibars,
    visibility_miles,
    month
from {{ candidate.checked_weather }}
where quarantine_reason is null
