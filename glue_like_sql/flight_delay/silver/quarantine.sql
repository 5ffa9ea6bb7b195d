-- One row per bronze row that can't be used: where it lay, why, and the row itself as JSON.
-- Reads: checked_flights and checked_weather of this run.  Params: candidate.
select
    'flights' as source_table,
    quarantine_reason as reason,
    raw_row,
    month
from {{ candidate.checked_flights }}
where quarantine_reason is not null

union all

select
    'weather' as source_table,
    quarantine_reason as reason,
    raw_row,
    month
from {{ candidate.checked_weather }}
where quarantine_reason is not null
