-- One row per aircraft of the registry.
-- Reads: s3://bronze_bucket/planes/.  Params: bronze, bronze_bucket.
create external table if not exists {{ bronze }}.planes (
    tailnum string,
    year string,
    type string,
    manufacturer string,
    model string,
    engines string,
    seats string,
    speed string,
    engine string
)
row format serde 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
stored as textfile
location 's3://{{ bronze_bucket }}/planes/'
tblproperties ('skip.header.line.count' = '1')
