use super::*;
use crate::rule::parse_filter;

fn objective(id: &str, good: &str) -> Objective {
    Objective {
        id: id.to_owned(),
        expr: good.to_owned(),
        good: parse_filter(good).unwrap(),
        ratio: 0.995,
        period: Duration::from_hours(28 * 24),
    }
}

fn metrics() -> Metrics {
    Metrics {
        events: "http_requests_total".to_owned(),
        durations: "http_request_duration_seconds".to_owned(),
        labels: vec![("method".to_owned(), "verb".to_owned())],
    }
}

/// The selector of good events, or why there is none.
fn selected(good: &str) -> String {
    match selector::counters(&objective("x", good), &metrics()) {
        Ok(counters) => counters.good,
        Err(error) => error.to_string(),
    }
}

#[test]
fn conditions_become_matchers() {
    let rows = [
        "status < 500",
        "status >= 200 and status != 404",
        "status <= 404",
        "status in (200, 404)",
        "status > 600",
        r#"route = "/api/orders" and method not in ("GET", "HEAD")"#,
        r#"route like "/api/%""#,
        r#"route ~ "^/v[0-9]+/" and http.host !~ "test""#,
        "user exists and trace_id missing",
        "duration < 300ms and status < 500",
        "duration < 300ms and duration < 1s",
        "duration > 300ms",
        "size < 1000",
        r#"message = "a""b\c""#,
    ];
    let told: Vec<String> =
        rows.iter().map(|good| format!("{good}\n  {}", selected(good))).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    status < 500
      http_requests_total{status=~"[1-4].."}
    status >= 200 and status != 404
      http_requests_total{status=~"[2-5]..",status!="404",status!=""}
    status <= 404
      http_requests_total{status=~"[1-3]..|40[0-4]"}
    status in (200, 404)
      http_requests_total{status=~"200|404"}
    status > 600
      objective `x`: no metric can tell `status > 600`: no status from 100 to 599 meets it
    route = "/api/orders" and method not in ("GET", "HEAD")
      http_requests_total{route="/api/orders",verb!~"GET|HEAD",verb!=""}
    route like "/api/%"
      http_requests_total{route=~"/api/.*"}
    route ~ "^/v[0-9]+/" and http.host !~ "test"
      http_requests_total{route=~".*(?:^/v[0-9]+/).*",http_host!~".*(?:test).*",http_host!=""}
    user exists and trace_id missing
      http_requests_total{user!="",trace_id=""}
    duration < 300ms and status < 500
      http_request_duration_seconds_bucket{status=~"[1-4]..",le="0.3"}
    duration < 300ms and duration < 1s
      objective `x`: no metric can tell `duration < 1s`: a second bound would need a second bucket
    duration > 300ms
      objective `x`: no metric can tell `duration > 300ms`: a histogram tells only what is below a bound, such as `duration < 300ms`
    size < 1000
      objective `x`: no metric can tell `size < 1000`: a label has no order, only `status` has classes
    message = "a""b\c"
      http_requests_total{message="a\"b\\c"}
    "#);
}

#[test]
fn a_bound_of_whole_seconds_is_found_whichever_way_its_label_is_written() {
    let check = |good: &str, label: &str| {
        let want = format!("http_request_duration_seconds_bucket{{{label}}}");
        assert_eq!(selected(good), want, "{good}");
    };
    check("duration < 1s", r#"le=~"1(\\.0)?""#); // `1.0` from Prometheus 3 on, `1` before
    check("duration <= 10s", r#"le=~"10(\\.0)?""#);
    check("duration < 1500ms", r#"le="1.5""#); // the same everywhere
}

#[test]
fn openslo_has_a_document_for_an_objective() {
    let objectives = [objective("Orders.fast", "duration < 300ms")];
    insta::assert_snapshot!(openslo("it's a 'shop'", &objectives, &metrics()).unwrap(), @r#"
    apiVersion: openslo/v1
    kind: Service
    metadata:
      name: it-s-a-shop
      displayName: 'it''s a ''shop'''
    spec:
      description: 'it''s a ''shop'''
    ---
    apiVersion: openslo/v1
    kind: DataSource
    metadata:
      name: prometheus
    spec:
      type: Prometheus
      connectionDetails:
        url: 'http://localhost:9090'
    ---
    apiVersion: openslo/v1
    kind: SLO
    metadata:
      name: orders-fast
      displayName: 'Orders.fast'
    spec:
      description: 'duration < 300ms'
      service: it-s-a-shop
      indicator:
        metadata:
          name: orders-fast
        spec:
          ratioMetric:
            counter: true
            good:
              metricSource:
                metricSourceRef: prometheus
                spec:
                  query: 'sum(http_request_duration_seconds_bucket{le="0.3"})'
            total:
              metricSource:
                metricSourceRef: prometheus
                spec:
                  query: 'sum(http_request_duration_seconds_count)'
      timeWindow:
        - duration: 28d
          isRolling: true
      budgetingMethod: Occurrences
      objectives:
        - displayName: 'Orders.fast'
          target: 0.995
    "#);
    let two = [objective("fast", "duration < 300ms"), objective("up", "status < 500")];
    assert_eq!(openslo("shop", &two, &metrics()).unwrap().matches("kind: SLO").count(), 2);
    let twins = [objective("a.b", "status < 500"), objective("a-b", "status < 500")];
    let error = openslo("shop", &twins, &metrics()).unwrap_err();
    assert_eq!(error.to_string(), "objectives `a.b` and `a-b` would both be called `a-b`");
}

#[test]
fn prometheus_alerts_as_check_judges() {
    insta::assert_snapshot!(prometheus(&[objective("up", "status < 500")], &metrics()).unwrap(), @r#"
    groups:
      - name: 'plimsoll-up'
        rules:
          - record: slo:error_ratio:rate5m
            expr: '1 - ((sum(rate(http_requests_total{status=~"[1-4].."}[5m])) or vector(0)) / (sum(rate(http_requests_total[5m])) > 0))'
            labels: { slo: 'up' }
          - record: slo:error_ratio:rate30m
            expr: '1 - ((sum(rate(http_requests_total{status=~"[1-4].."}[30m])) or vector(0)) / (sum(rate(http_requests_total[30m])) > 0))'
            labels: { slo: 'up' }
          - record: slo:error_ratio:rate1h
            expr: '1 - ((sum(rate(http_requests_total{status=~"[1-4].."}[1h])) or vector(0)) / (sum(rate(http_requests_total[1h])) > 0))'
            labels: { slo: 'up' }
          - record: slo:error_ratio:rate2h
            expr: '1 - ((sum(rate(http_requests_total{status=~"[1-4].."}[2h])) or vector(0)) / (sum(rate(http_requests_total[2h])) > 0))'
            labels: { slo: 'up' }
          - record: slo:error_ratio:rate6h
            expr: '1 - ((sum(rate(http_requests_total{status=~"[1-4].."}[6h])) or vector(0)) / (sum(rate(http_requests_total[6h])) > 0))'
            labels: { slo: 'up' }
          - record: slo:error_ratio:rate1d
            expr: '1 - ((sum(rate(http_requests_total{status=~"[1-4].."}[1d])) or vector(0)) / (sum(rate(http_requests_total[1d])) > 0))'
            labels: { slo: 'up' }
          - record: slo:error_ratio:rate3d
            expr: '1 - ((sum(rate(http_requests_total{status=~"[1-4].."}[3d])) or vector(0)) / (sum(rate(http_requests_total[3d])) > 0))'
            labels: { slo: 'up' }
          - alert: ErrorBudgetBurn
            expr: 'slo:error_ratio:rate1h{slo="up"} > 0.0672 and slo:error_ratio:rate5m{slo="up"} > 0.0672'
            labels: { severity: page, window: 1h, slo: 'up' }
            annotations: { summary: 'up: the error budget burns more than 13.44 times as fast as it may, over 1h' }
          - alert: ErrorBudgetBurn
            expr: 'slo:error_ratio:rate6h{slo="up"} > 0.028 and slo:error_ratio:rate30m{slo="up"} > 0.028'
            labels: { severity: page, window: 6h, slo: 'up' }
            annotations: { summary: 'up: the error budget burns more than 5.6 times as fast as it may, over 6h' }
          - alert: ErrorBudgetBurn
            expr: 'slo:error_ratio:rate1d{slo="up"} > 0.014 and slo:error_ratio:rate2h{slo="up"} > 0.014'
            labels: { severity: ticket, window: 1d, slo: 'up' }
            annotations: { summary: 'up: the error budget burns more than 2.8 times as fast as it may, over 1d' }
          - alert: ErrorBudgetBurn
            expr: 'slo:error_ratio:rate3d{slo="up"} > 0.005 and slo:error_ratio:rate6h{slo="up"} > 0.005'
            labels: { severity: ticket, window: 3d, slo: 'up' }
            annotations: { summary: 'up: the error budget burns more than 1 times as fast as it may, over 3d' }
    "#);
    let hour = Objective {
        ratio: 0.9,
        period: Duration::from_hours(1),
        ..objective("short", "status < 500")
    };
    let rules = prometheus(&[hour], &metrics()).unwrap();
    assert_eq!(rules.matches("- alert:").count(), 1);
    assert_eq!(rules.matches("# no alert over").count(), 3); // longer than the period
}

#[test]
fn lengths_have_the_largest_unit_that_is_exact() {
    for (seconds, want) in [(28 * 86_400, "28d"), (5_400, "90m"), (43_200, "12h"), (61, "2m")] {
        assert_eq!(length(seconds), want);
    }
}

proptest::proptest! {
    /// Whatever a name holds, it is one scalar of one line, and reads back but for the invisible.
    #[test]
    fn what_is_quoted_stays_inside(text in ".*") {
        let yaml = quoted(&text);
        let inside = yaml.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap();
        let inside_quotes = inside.replace("''", "");
        proptest::prop_assert!(!inside_quotes.contains(['\'', '\n', '\r']), "{yaml}");
        proptest::prop_assert_eq!(inside.replace("''", "'").chars().count(), text.chars().count());
    }
}
