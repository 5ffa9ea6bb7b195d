-- A table over JSON Lines that live for the run: requests, which have no answer yet, or what batch transform made of them.
-- Reads: the files under location.  Params: table, location.
create external table {{ table }} (
    record_key struct<carrier:string, flight_number:int, origin:string, scheduled_departure_at:string, month:string>,
    answer struct<probability:double, is_late:boolean>
)
row format serde 'org.openx.data.jsonserde.JsonSerDe'
with serdeproperties ('case.insensitive' = 'false', 'mapping.answer' = 'SageMakerOutput')
location '{{ location }}'
