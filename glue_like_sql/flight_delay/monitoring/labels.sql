-- One row per flight of which it is known how it came in: by the id that whoever asks the endpoint gives its question
-- (InvokeEndpoint's InferenceId), 2013-12-01T05:15|UA|1545|EWR, and whether it was late.
-- Reads: silver.flight_features.  Params: silver.
select
    concat(
        date_format(scheduled_departure_at, '%Y-%m-%dT%H:%i'), '|', carrier, '|',
        cast(flight_number as varchar), '|', origin
    ) as inference_id,
    is_late as label
from {{ silver }}.flight_features
