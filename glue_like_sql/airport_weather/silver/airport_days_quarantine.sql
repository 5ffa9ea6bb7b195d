-- One row per airport and day that can't be used: why, and which one it is.
-- Reads: checked_airport_days of this run.  Params: candidate.
select
    'airport_days' as source_table,
    quarantine_reason as reason,
    origin || ' ' || cast(flight_date as varchar) as raw_row,
    month
from {{ candidate.checked_airport_days }}
where quarantine_reason is not null
