-- One row per table and reason why rows of it can't be used: how many, and two of them.
-- Reads: a quarantine table of this run.  Params: quarantine.
select
    source_table,
    reason,
    count(*) as row_count,
    min(raw_row) as first_row,
    max(raw_row) as last_row
from {{ quarantine }}
group by source_table, reason
order by row_count desc, source_table, reason
limit 20
