-- One row per flight that left New York and landed where it was going: typed, in UTC, with its label.
-- Reads: checked_flights of this run.  Params: candidate.
select
    carrier,
    flight_number,
    tail_number,
    origin,
    destination,
    flight_date,
    scheduled_hour,
    scheduled_minute,
    scheduled_departure_at,
    scheduled_arrival_at,
    departed_at,
    arrived_at,
    scheduled_duration_minutes,
    departure_delay_minutes,
    arrival_delay_minutes,
    air_time_minutes,
    distance_miles,
    origin_scheduled_flight_count,
    is_late,
    month
from {{ candidate.checked_flights }}
where quarantine_reason is null
