// What a health check asks, and how it counts.

import { shortSpan } from "../format.js";

/** Pairs of a term and what it is. */
export function checkFacts(check) {
  if (!check) {
    return [];
  }
  const { http, tcp, dns } = check;
  return [
    [
      "Asks",
      [
        check.type,
        check.port !== null && ` on port ${check.port}`,
        http && ` for ${http.path}`,
        dns && ` for ${dns.query} ${dns.record}`,
      ],
    ],
    [
      "Passes with",
      (http && codes(http)) ?? (dns && dns.expect_rcode) ?? (tcp?.ssl ? "a TLS handshake" : null),
    ],
    [
      "Every",
      `${shortSpan(check.interval_ns)}; ${shortSpan(check.fast_interval_ns)} in question; ${shortSpan(check.down_interval_ns)} while down`,
    ],
    ["Timeout", shortSpan(check.timeout_ns)],
    ["Rise, fall", `${check.rise} passes bring it up, ${check.fall} failures take it down`],
  ];
}

function codes({ response_code_min: least, response_code_max: most, response_regexp: body }) {
  const range = least === most ? `${least}` : `${least} to ${most}`;
  return body === null ? range : `${range}, and a body that matches ${body}`;
}
