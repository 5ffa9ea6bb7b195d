-- One row per check and month: whether the run's flight_delay_predictions may be published.
-- Reads: silver.flight_features (published); requests and flight_delay_predictions of this run.
-- Params: silver, requests, candidate, months (list of yyyy-mm).
with

months as (

    select month
    from (values {% for month in months %}('{{ month }}'){{ ", " if not loop.last }}{% endfor %}) as listed (month)

),

features as (

    select month, count(*) as feature_count
    from {{ silver }}.flight_features
    group by month

),

requests as (

    select
        record_key.carrier,
        record_key.flight_number,
        record_key.origin,
        cast(record_key.scheduled_departure_at as timestamp) as scheduled_departure_at,
        {% if months | length == 1 %}'{{ months[0] }}'{% else %}record_key.month{% endif %} as month
    from {{ requests }}

),

requested as (

    select month, count(*) as request_count
    from requests
    group by month

),

predictions as (

    select * from {{ candidate.flight_delay_predictions }}

),

compared as (

    select
        coalesce(requests.month, predictions.month) as month,
        count_if(predictions.carrier is null) as lost_count,
        count_if(requests.carrier is null) as stray_count
    from requests
    full outer join predictions
        on requests.carrier = predictions.carrier
        and requests.flight_number = predictions.flight_number
        and requests.origin = predictions.origin
        and requests.scheduled_departure_at = predictions.scheduled_departure_at
        and requests.month = predictions.month
    group by coalesce(requests.month, predictions.month)

),

keys as (

    select month, carrier, flight_number, origin, scheduled_departure_at, count(*) as row_count
    from predictions
    group by month, carrier, flight_number, origin, scheduled_departure_at

),

repeated as (

    select month, count(*) as repeated_count
    from keys
    where row_count > 1
    group by month

),

predicted as (

    select
        month,
        count(*) as prediction_count,
        count_if(
            carrier is null or flight_number is null or origin is null or scheduled_departure_at is null
        ) as without_key_count,
        count_if(
            is_predicted_late is null or late_probability is null or not late_probability between 0 and 1
        ) as senseless_count,
        coalesce(max(if(not is_predicted_late, late_probability)), -1) as highest_without_warning,
        coalesce(min(if(is_predicted_late, late_probability)), 2) as lowest_with_warning
    from predictions
    group by month

),

counted as (

    select
        months.month,
        coalesce(feature_count, 0) as feature_count,
        coalesce(request_count, 0) as request_count,
        coalesce(lost_count, 0) as lost_count,
        coalesce(stray_count, 0) as stray_count,
        coalesce(repeated_count, 0) as repeated_count,
        coalesce(prediction_count, 0) as prediction_count,
        coalesce(without_key_count, 0) as without_key_count,
        coalesce(senseless_count, 0) as senseless_count,
        coalesce(highest_without_warning, -1) as highest_without_warning,
        coalesce(lowest_with_warning, 2) as lowest_with_warning
    from months
    left join features on months.month = features.month
    left join requested on months.month = requested.month
    left join compared on months.month = compared.month
    left join repeated on months.month = repeated.month
    left join predicted on months.month = predicted.month

),

checks as (

    select
        'flight_delay_predictions: one row per request' as check_name,
        month,
        prediction_count = request_count and prediction_count > 0 as is_ok,
        cast(prediction_count as varchar) || ' rows for ' || cast(request_count as varchar) || ' requests' as detail
    from counted

    union all

    -- A month that silver lacks was scored from files that somebody put there.
    select
        'flight_delay_predictions: one row per row of flight_features' as check_name,
        month,
        feature_count in (0, prediction_count) as is_ok,
        cast(prediction_count as varchar) || ' rows for ' || cast(feature_count as varchar) || ' of the month' as detail
    from counted

    union all

    select
        'flight_delay_predictions: none lost, none made up' as check_name,
        month,
        lost_count = 0 and stray_count = 0 as is_ok,
        cast(lost_count as varchar) || ' requests have no answer, ' || cast(stray_count as varchar)
        || ' answers have no request' as detail
    from counted

    union all

    select
        'flight_delay_predictions: keys are filled and unique' as check_name,
        month,
        without_key_count = 0 and repeated_count = 0 as is_ok,
        cast(without_key_count as varchar) || ' rows lack a part of the key, ' || cast(repeated_count as varchar)
        || ' keys (carrier, flight_number, origin, scheduled_departure_at) repeat' as detail
    from counted

    union all

    select
        'flight_delay_predictions: probabilities are from 0 to 1' as check_name,
        month,
        senseless_count = 0 as is_ok,
        cast(senseless_count as varchar) || ' rows have no probability from 0 to 1, or no answer' as detail
    from counted

    union all

    -- Which one it is, the model's archive says.
    select
        'flight_delay_predictions: warnings begin at one threshold' as check_name,
        month,
        highest_without_warning < lowest_with_warning as is_ok,
        'no warning at ' || cast(highest_without_warning as varchar) || ', a warning at '
        || cast(lowest_with_warning as varchar) as detail
    from counted

)

select
    check_name,
    month,
    is_ok,
    detail
from checks
order by month, check_name
