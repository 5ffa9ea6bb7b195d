-- One row per airport and day that can't be used: why.
-- Reads: checked_airport_days of this run.  Params: candidate.
select
    origin,
    flight_date,
    quarantine_reason as reason,
    month
from {{ candidate.checked_airport_days }}
where quarantine_reason is not null
