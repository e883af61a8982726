/* test/upgrade/connect--1.0.1test--1.0.sql: for test/t/062_update.pl alone */
\echo Use "ALTER EXTENSION connect UPDATE" to load this file. \quit

ALTER TABLE connect.connector_def DROP COLUMN added_by_update;
