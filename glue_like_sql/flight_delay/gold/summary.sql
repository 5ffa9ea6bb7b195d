-- One row per month: its predictions in a few numbers.
-- Reads: gold.flight_delay_predictions.  Params: gold, months (list of yyyy-mm).
select
    month,
    count(*) as row_count,
    count_if(is_predicted_late) as predicted_late_count,
    avg(late_probability) as mean_late_probability
from {{ gold }}.flight_delay_predictions
where month in ('{{ months | join("', '") }}')
group by month
order by month
