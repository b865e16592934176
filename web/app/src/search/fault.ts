import type { QueryError } from "@boardcast/client";
import { t } from "../text/index.js";

/** What is wrong with a query, where, and what would be right. */
export function faultWords({ at, fault }: QueryError): string {
  const { faults } = t.search;
  switch (fault.is) {
    case "bytes":
    case "terms":
      return faults[fault.is](fault.max);
    case "quote":
      return faults.at(at, faults.quote);
    case "empty":
      return faults.at(at, faults.empty(fault.key));
    case "filter":
      return faults.at(at, faults.filter(fault.key));
    case "date":
    case "state":
    case "priority":
      return faults.at(at, faults[fault.is](fault.value));
  }
}
