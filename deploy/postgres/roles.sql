-- Run once by the server's administrator: the four accounts of onroll and their database. The passwords are read from files, so that
-- they are on no command line and in no log. Then run 'onroll database upgrade --grant' with the owner's account.
\set ON_ERROR_STOP on
\set owner_password `cat "${ONROLL_SECRETS:-/run/secrets}/owner-password"`
\set service_password `cat "${ONROLL_SECRETS:-/run/secrets}/service-password"`
\set retention_password `cat "${ONROLL_SECRETS:-/run/secrets}/retention-password"`
\set access_password `cat "${ONROLL_SECRETS:-/run/secrets}/access-password"`
SET log_statement = 'none';
SET password_encryption = 'scram-sha-256';
-- None is a superuser, creates roles or databases, or belongs to a role that runs programs or reads the server's files.
CREATE ROLE onroll_owner LOGIN NOINHERIT NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
CREATE ROLE onroll_service LOGIN NOINHERIT NOCREATEDB NOCREATEROLE PASSWORD :'service_password';
CREATE ROLE onroll_retention LOGIN NOINHERIT NOCREATEDB NOCREATEROLE PASSWORD :'retention_password';
CREATE ROLE onroll_access LOGIN NOINHERIT NOCREATEDB NOCREATEROLE PASSWORD :'access_password';
CREATE DATABASE onroll OWNER onroll_owner;
REVOKE ALL ON DATABASE onroll FROM PUBLIC;
GRANT CONNECT ON DATABASE onroll TO onroll_service, onroll_retention, onroll_access;
\connect onroll
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO onroll_owner;
