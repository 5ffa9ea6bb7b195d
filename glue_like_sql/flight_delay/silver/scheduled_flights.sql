-- One row per scheduled flight, whatever became of it: when it should and when it did leave and land (null = didn't).
-- Reads: checked_flights of this run.  Params: candidate.
select
    carrier,
    flight_number,
    tail_number,
    origin,
    destination,
    flight_date,
    scheduled_departure_at,
    scheduled_arrival_at,
    departed_at,
    arrived_at,
    departure_delay_minutes,
    arrival_delay_minutes,
    month
from {{ candidate.checked_flights }}
where quarantine_reason is null or quarantine_reason like 'no label: %'
