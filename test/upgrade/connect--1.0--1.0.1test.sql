/* test/upgrade/connect--1.0--1.0.1test.sql: for test/t/062_update.pl alone */
\echo Use "ALTER EXTENSION connect UPDATE" to load this file. \quit

ALTER TABLE connect.connector_def ADD COLUMN added_by_update text;
