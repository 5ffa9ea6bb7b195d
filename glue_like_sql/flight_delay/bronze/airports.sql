-- One row per airport: where it is and its clock.
-- Reads: s3://bronze_bucket/airports/.  Params: bronze, bronze_bucket.
create external table if not exists {{ bronze }}.airports (
    faa string,
    name string,
    lat string,
    lon string,
    alt string,
    tz string,
    dst string,
    tzone string
)
row format serde 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
stored as textfile
location 's3://{{ bronze_bucket }}/airports/'
tblproperties ('skip.header.line.count' = '1')
