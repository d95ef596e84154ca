#pragma once

#include "core/analysis/violations.h"
#include "core/policy/qaq_params.h"

namespace qaq {

/// Everything that a user of a capture can set: what the policy does and what counts as a
/// violation. The command line's --set and the window's parameter panel are made from it.
struct ScopeParams {
  QaqParams qaq;
  ViolationParams violation;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    QaqParams::visit(self.qaq, v);
    ViolationParams::visit(self.violation, v);
  }
};

}  // namespace qaq
