//! Which of the two forms a client wants, by its `Accept` field (RFC 9110, 12.5.1).

use super::page::Form;

/// The form that is liked best; Prometheus's own where nothing is said, or nothing that we have.
pub(crate) fn form(accept: &str) -> Form {
    let (mut open, mut plain) = (0, 0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let parameters: Vec<&str> = parts.collect();
        let quality = parameters.iter().find_map(|part| part.strip_prefix("q=")).map_or(1000, thousandths);
        match kind.as_str() {
            "application/openmetrics-text" if is_known(&parameters) => open = open.max(quality),
            "text/plain" | "text/*" | "*/*" => plain = plain.max(quality),
            _ => {}
        }
    }
    if open > 0 && open >= plain { Form::OpenMetrics } else { Form::Prometheus }
}

/// Is it a version that ours can be read as?
fn is_known(parameters: &[&str]) -> bool {
    let version = parameters.iter().find_map(|part| part.strip_prefix("version="));
    version.is_none_or(|version| matches!(version.trim_matches('"'), "1.0.0" | "0.0.1"))
}

/// `0.75` is 750. What is no number counts as nothing.
fn thousandths(quality: &str) -> u32 {
    quality.trim().parse::<f32>().map_or(0, |quality| (quality.clamp(0.0, 1.0) * 1000.0) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_liked_form_is_found() {
        for (accept, expected) in [
            ("", Form::Prometheus),
            ("*/*", Form::Prometheus),
            ("text/html", Form::Prometheus),
            ("application/openmetrics-text", Form::OpenMetrics),
            ("application/openmetrics-text; version=1.0.0; charset=utf-8", Form::OpenMetrics),
            // What Prometheus 2.53 and 3.1 send.
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Form::OpenMetrics,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Form::OpenMetrics,
            ),
            ("text/plain;version=0.0.4;q=1,application/openmetrics-text;q=0.5", Form::Prometheus),
            ("application/openmetrics-text;version=2.0.0,text/plain;q=0.1", Form::Prometheus),
            ("application/openmetrics-text;q=0", Form::Prometheus),
            ("application/openmetrics-text;q=much", Form::Prometheus),
        ] {
            assert_eq!(form(accept), expected, "{accept}");
        }
    }
}
