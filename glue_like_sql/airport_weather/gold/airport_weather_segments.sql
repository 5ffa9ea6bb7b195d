-- One row per airport and day that was scored: the segment that the model puts it into, and how far from its middle.
-- Reads: answers of this run.  Params: answers, model, job, scored_at, months (list of yyyy-mm).
select
    record_key.origin,
    cast(record_key.flight_date as date) as flight_date,
    answer.segment,
    answer.name as segment_name,
    answer.distance,
    -- Without the casts the types would be as long and as precise as what is written here, and others in each month.
    cast('{{ model }}' as varchar) as model,
    cast('{{ job }}' as varchar) as transform_job,
    cast('{{ scored_at }}' as timestamp) as scored_at,
    -- Requests that somebody wrote are of the one month that was said with them, whatever stands in them.
    {% if months | length == 1 %}cast('{{ months[0] }}' as varchar){% else %}record_key.month{% endif %} as month
from {{ answers }}
