-- One row per check: whether the run's flight_delay_predictions may be published.
-- Reads: silver.flight_features (published); requests and flight_delay_predictions of this run.
-- Params: silver, requests, candidate, months (one yyyy-mm).
with

requests as (

    select
        record_key.carrier,
        record_key.flight_number,
        record_key.origin,
        cast(record_key.scheduled_departure_at as timestamp) as scheduled_departure_at
    from {{ requests }}

),

predictions as (

    select * from {{ candidate.flight_delay_predictions }}

),

compared as (

    select
        count_if(predictions.carrier is null) as lost_count,
        count_if(requests.carrier is null) as stray_count
    from requests
    full outer join predictions
        on requests.carrier = predictions.carrier
        and requests.flight_number = predictions.flight_number
        and requests.origin = predictions.origin
        and requests.scheduled_departure_at = predictions.scheduled_departure_at

),

keys as (

    select carrier, flight_number, origin, scheduled_departure_at, count(*) as row_count
    from predictions
    group by carrier, flight_number, origin, scheduled_departure_at

),

counted as (

    select
        (select count(*) from {{ silver }}.flight_features where month = '{{ months[0] }}') as feature_count,
        (select count(*) from requests) as request_count,
        (select count(*) from keys where row_count > 1) as repeated_count,
        count(*) as prediction_count,
        count_if(
            carrier is null or flight_number is null or origin is null or scheduled_departure_at is null
        ) as without_key_count,
        count_if(
            is_predicted_late is null or late_probability is null or not late_probability between 0 and 1
        ) as senseless_count
    from predictions

),

checks as (

    select
        'flight_delay_predictions: one row per request' as check_name,
        prediction_count = request_count and prediction_count > 0 as is_ok,
        cast(prediction_count as varchar) || ' rows for ' || cast(request_count as varchar) || ' requests' as detail
    from counted

    union all

    -- A month that silver lacks was scored from files that somebody put there.
    select
        'flight_delay_predictions: one row per row of flight_features' as check_name,
        feature_count in (0, prediction_count) as is_ok,
        cast(prediction_count as varchar) || ' rows for ' || cast(feature_count as varchar) || ' of the month' as detail
    from counted

    union all

    select
        'flight_delay_predictions: none lost, none made up' as check_name,
        lost_count = 0 and stray_count = 0 as is_ok,
        cast(lost_count as varchar) || ' requests have no answer, ' || cast(stray_count as varchar)
        || ' answers have no request' as detail
    from compared

    union all

    select
        'flight_delay_predictions: keys are filled and unique' as check_name,
        without_key_count = 0 and repeated_count = 0 as is_ok,
        cast(without_key_count as varchar) || ' rows lack a part of the key, ' || cast(repeated_count as varchar)
        || ' keys (carrier, flight_number, origin, scheduled_departure_at) repeat' as detail
    from counted

    union all

    select
        'flight_delay_predictions: probabilities are from 0 to 1' as check_name,
        senseless_count = 0 as is_ok,
        cast(senseless_count as varchar) || ' rows have no probability from 0 to 1, or no answer' as detail
    from counted

)

select
    check_name,
    '{{ months[0] }}' as month,
    is_ok,
    detail
from checks
order by check_name
