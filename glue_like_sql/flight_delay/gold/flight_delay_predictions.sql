-- One row per flight that was scored: how likely the model says it comes in more than 15 minutes late.
-- Reads: answers of this run.  Params: answers, model, job, scored_at, months (list of yyyy-mm).
select
    record_key.carrier,
    record_key.flight_number,
    record_key.origin,
    cast(record_key.scheduled_departure_at as timestamp) as scheduled_departure_at,
    answer.probability as late_probability,
    answer.is_late as is_predicted_late,
    -- Without the casts the types would be as long and as precise as what is written here, and others in each month.
    cast('{{ model }}' as varchar) as model,
    cast('{{ job }}' as varchar) as transform_job,
    cast('{{ scored_at }}' as timestamp) as scored_at,
    -- Requests that somebody wrote are of the one month that was said with them, whatever stands in them.
    {% if months | length == 1 %}cast('{{ months[0] }}' as varchar){% else %}record_key.month{% endif %} as month
from {{ answers }}
