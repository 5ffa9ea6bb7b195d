-- One row per flight that was scored: how likely the model says it comes in more than 15 minutes late.
-- Reads: answers of this run.  Params: answers, model, job, scored_at, months (one yyyy-mm).
select
    record_key.carrier,
    record_key.flight_number,
    record_key.origin,
    cast(record_key.scheduled_departure_at as timestamp) as scheduled_departure_at,
    answer.probability as late_probability,
    answer.is_late as is_predicted_late,
    '{{ model }}' as model,
    '{{ job }}' as transform_job,
    timestamp '{{ scored_at }}' as scored_at,
    '{{ months[0] }}' as month
from {{ answers }}
