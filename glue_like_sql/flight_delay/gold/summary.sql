-- One row: the predictions of a month in a few numbers.
-- Reads: gold.flight_delay_predictions.  Params: gold, month (yyyy-mm).
select
    count(*) as row_count,
    count_if(is_predicted_late) as predicted_late_count,
    avg(late_probability) as mean_late_probability
from {{ gold }}.flight_delay_predictions
where month = '{{ month }}'
