"""Guards of the threat model in files of the deployment, in the database's own rules, and in processes that tests start.

They are taken out in a copy of the tree, in which their tests run: see ``tests/support/guards.py``.
"""

from tests.support.guard import FileGuard

DEPLOYMENT = "tests/unit/serving/test_deployment.py::test_"
COMPOSE, CONTAINER, UNIT = "deploy/compose.yaml", "deploy/Containerfile", "deploy/onroll.service"
READY = (
    "      schema: {condition: service_completed_successfully}\n"  # before the settings of the service, and of no other
)

IN_FILES = (
    FileGuard(
        "tests/unit/serving/http/test_posted_lists.py::test_texts_that_collide_do_not_slow_the_others_down",
        "histories/reading/json_scan.py",
        "if probes == MAX_PROBES:",
        "if probes == SLOTS:",
    ),
    FileGuard(
        "tests/attacks/test_database_roles.py::test_a_connection_is_refused",
        "deploy/postgres/pg_hba.conf",
        "hostssl  onroll ",
        "host     onroll ",
    ),
    FileGuard(
        f"{DEPLOYMENT}a_service_has_a_root_that_cannot_be_written_and_no_privilege",
        COMPOSE,
        "&hardened\n  read_only: true",
        "&hardened\n  read_only: false",
    ),
    FileGuard(
        f"{DEPLOYMENT}a_service_has_a_root_that_cannot_be_written_and_no_privilege",
        COMPOSE,
        "  cap_drop: [ALL]\n",
        "",
    ),
    FileGuard(
        f"{DEPLOYMENT}the_image_runs_unprivileged_and_holds_the_bentos_files",
        CONTAINER,
        "USER 10001:10001",
        "USER root",
    ),
    FileGuard(
        f"{DEPLOYMENT}the_systemd_unit_gives_the_service_no_needless_rights",
        UNIT,
        "NoNewPrivileges=yes\n",
        "",
    ),
    FileGuard(
        f"{DEPLOYMENT}no_python_imports_from_the_folder_that_a_service_writes",
        CONTAINER,
        " PYTHONSAFEPATH=1 ",
        " ",
    ),
    FileGuard(
        f"{DEPLOYMENT}no_python_imports_from_the_folder_that_a_service_writes",
        "deploy/onroll-audit.service",
        "Environment=PYTHONSAFEPATH=1\n",
        "",
    ),
    FileGuard(
        f"{DEPLOYMENT}the_service_believes_this_host_alone_where_a_request_comes_from",
        COMPOSE,
        "FORWARDED_ALLOW_IPS: 172.29.42.1\n",
        'FORWARDED_ALLOW_IPS: "*"\n',
    ),
    FileGuard(
        f"{DEPLOYMENT}each_program_has_its_own_account_of_the_database_and_checks_its_server",
        COMPOSE,
        f"{READY}    environment:\n      <<: *database\n      ONROLL_DATABASE_URL: postgresql://onroll_service@",
        f"{READY}    environment:\n      <<: *database\n      ONROLL_DATABASE_URL: postgresql://onroll_owner@",
    ),
    FileGuard(
        f"{DEPLOYMENT}each_program_has_its_own_account_of_the_database_and_checks_its_server",
        COMPOSE,
        "PGSSLMODE: verify-full",
        "PGSSLMODE: require",
    ),
    FileGuard(
        f"{DEPLOYMENT}nobody_reaches_the_database_in_clear_text_and_mlflow_without_a_login",
        COMPOSE,
        "      - --app-name=basic-auth\n",
        "",
    ),
    FileGuard(
        f"{DEPLOYMENT}every_service_is_watched_and_the_database_is_inside",
        COMPOSE,
        "    internal: true\n",
        "",
    ),
    FileGuard(
        f"{DEPLOYMENT}no_secret_is_written_down_and_every_setting_is_known",
        COMPOSE,
        "ONROLL_MODEL: onroll@champion\n      ONROLL_WORKERS",
        "ONROLL_AUDIT_KEY: written-down\n      ONROLL_WORKERS",
    ),
    FileGuard(
        f"{DEPLOYMENT}images_of_others_are_pinned_by_version_and_digest",
        COMPOSE,
        "postgres:17.11@sha256:d74eeac9a635390a49bc21bd49fccd973de707e2a53a76ac49b552b8712ec46f",
        "postgres:17.11",
    ),
    FileGuard(
        f"{DEPLOYMENT}anchors_of_the_audit_leave_the_account_of_the_service",
        UNIT,
        "Environment=ONROLL_AUDIT_SYSLOG=unix:/dev/log ONROLL_ALARM_SYSLOG=unix:/dev/log\n",
        "",
    ),
    FileGuard(
        "tests/unit/serving/http/test_entra_example.py::test_the_service_believes_the_edge_alone_where_a_request_comes_from",
        "deploy/entra/compose.yaml",
        "FORWARDED_ALLOW_IPS: 172.29.41.10,172.29.42.10 ",
        'FORWARDED_ALLOW_IPS: "*" ',
    ),
    FileGuard(
        "tests/attacks/test_development_users.py::test_a_request_in_the_protocol_of_proxies_is_refused",
        "serving/access/development.py",
        ' and request.scope.get("http_version") != "1.0"',
        "",
    ),
    FileGuard(
        "tests/system/test_audit.py::test_the_database_itself_lets_no_entry_be_changed",
        "serving/migrations/versions/0002_audit_cases_and_holds.py",
        "BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;",
        "BEFORE UPDATE ON audit BEGIN SELECT 1; END;",
    ),
    FileGuard(
        "tests/system/test_kill.py::test_a_killed_writer_leaves_both_files_or_neither",
        "serving/store/store.py",
        "            end = self.chain.append(connection, change.must_be_recorded())\n",
        "        time.sleep(1)\n"
        "        with writing(self.engine) as connection:\n"
        "            end = self.chain.append(connection, change.must_be_recorded())\n",
    ),
    FileGuard(
        "tests/system/test_service.py::test_no_value_of_a_child_reaches_logs_metrics_or_errors",
        "serving/http/guard.py",
        'rule.route if rule else "unmatched"',
        'rule.route if rule else scope["path"]',
    ),
    FileGuard(
        "tests/system/test_fuzz.py::test_strange_requests_are_answered_and_forgotten",
        "serving/http/problems.py",
        "    @app.exception_handler(Faults)\n",
        "",
    ),
    FileGuard(
        "tests/system/test_fuzz.py::test_slow_bodies_and_heads_hold_up_no_other_call",
        "serving/http/guard.py",
        "            self.bodies.begin(exchange.body)\n",
        "            self.work.begin(exchange)\n",
    ),
    FileGuard(
        "tests/system/test_edge.py::test_a_broken_version_is_refused_and_the_previous_one_stays",
        "serving/scoring/live_model.py",
        "            if not self._waits(release, error):\n                self._refuse(release, error)\n",
        "            self.current = None\n",
    ),
    FileGuard(
        "tests/system/test_edge.py::test_the_frameworks_own_routes_are_not_there",
        "serving/http/service.py",
        "Guard, routes=app, people",
        "Guard, people",
    ),
    FileGuard(
        "tests/attacks/test_secrets_in_reach.py::test_a_container_holds_only_its_own_secrets",
        COMPOSE,
        f"{READY}    environment:\n      <<: *database\n      ONROLL_DATABASE_URL: postgresql://onroll_service@",
        f"{READY}    env_file: [secrets/mlflow-login.env]\n    environment:\n      <<: *database\n      ONROLL_DATABASE_URL: postgresql://onroll_service@",
    ),
    FileGuard(
        "tests/attacks/test_blocks_and_exports.py::test_as_shipped_no_service_can_write_the_counts_of_commands",
        COMPOSE,
        '    tmpfs: ["/tmp:size=512m,mode=1777"]\n    ports: ["127.0.0.1:3000:3000"]\n',
        '    volumes: ["data:/data", "blocks:/blocks", *journal]\n    ports: ["127.0.0.1:3000:3000"]\n',
    ),
    FileGuard(
        "tests/attacks/test_arrow_streams.py::test_a_time_zone_that_is_no_text_is_a_problem_of_the_request",
        "serving/http/arrow_stream.py",
        "zone = pa.types.is_timestamp(kind) and kind.tz",
        "zone = None",
    ),
    FileGuard(
        "tests/house/test_scopes.py::test_every_query_about_children_carries_a_scope",
        "serving/store/cases/enquiries.py",
        ".where(duties_in_scope(view), ",
        ".where(",
    ),
    FileGuard(
        "tests/system/test_anchors.py::test_a_pipe_in_the_place_of_the_anchors_takes_none_and_is_named",
        "serving/store/ledger/anchor_places.py",
        "if not stat.S_ISREG(os.fstat(descriptor).st_mode):",
        "if False:",
    ),
)
