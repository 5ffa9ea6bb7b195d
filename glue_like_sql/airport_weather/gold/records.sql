-- A table over JSON Lines that live for the run: requests, which have no answer yet, or what batch transform made of them.
-- Reads: the files under location.  Params: table, location.
create external table {{ table }} (
    record_key struct<origin:string, flight_date:string, month:string>,
    answer struct<segment:int, name:string, distance:double>
)
row format serde 'org.openx.data.jsonserde.JsonSerDe'
with serdeproperties ('case.insensitive' = 'false', 'mapping.answer' = 'SageMakerOutput')
location '{{ location }}'
