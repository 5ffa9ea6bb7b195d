-- One row per carrier code: the airline's name.
-- Reads: s3://bronze_bucket/airlines/.  Params: bronze, bronze_bucket.
create external table if not exists {{ bronze }}.airlines (
    carrier string,
    name string
)
row format serde 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
stored as textfile
location 's3://{{ bronze_bucket }}/airlines/'
tblproperties ('skip.header.line.count' = '1')
