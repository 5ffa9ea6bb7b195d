-- One row: how well the model has answered those questions whose outcome is known by now, or rows without any;
-- base_log_loss is what somebody would have who knew how many came out so, but not which; null where all did, or none.
-- Reads: what captured.sql reads, and labels.  Params: captured.sql's, and labels (a query: inference_id, label).
with

asked as (

{% include "captured.sql" %}

),

labels as (

{{ labels }}

),

-- A question that was asked again is answered by its last answer.
answered as (

    select
        inference_id,
        max_by(prediction, inferred_at) as prediction
    from asked
    where inference_id is not null and prediction is not null
    group by inference_id

),

judged as (

    select
        answered.prediction,
        cast(labels.label as integer) as label,
        least(cast(floor(answered.prediction * 10) as integer), 9) as bin
    from answered
    join labels on labels.inference_id = answered.inference_id

),

-- The middle of the ranks of those that are alike.
ranked as (

    select
        label,
        rank() over (order by prediction) + (count(*) over (partition by prediction) - 1) / 2e0 as place
    from judged

),

area as (

    select
        (sum(if(label = 1, place, 0e0)) - sum(label) * (sum(label) + 1) / 2e0)
        / nullif(cast(sum(label) as double) * (count(*) - sum(label)), 0e0) as roc_auc
    from ranked

),

bins as (

    select
        abs(sum(prediction) - sum(label)) as distance
    from judged
    group by bin

)

select
    count(*) as row_count,
    (select roc_auc from area) as roc_auc,
    avg(-ln(greatest(if(label = 1, prediction, 1 - prediction), 1e-15))) as log_loss,
    if(
        min(label) < max(label),
        -avg(label) * ln(avg(label)) - (1 - avg(label)) * ln(1 - avg(label))
    ) as base_log_loss,
    (select sum(distance) from bins) / nullif(count(*), 0) as calibration_error
from judged
