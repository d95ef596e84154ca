#pragma once

#include <cmath>
#include <string>

#include "tests/support/retention_run.h"
#include "tests/support/rival_reference.h"

namespace qaq::test {

/// "01" or "14" of SmolLM2 on the narrative prompt, which the rivals' own code was run on.
inline RetainedLayer narrative_layer(const std::string& layer) {
  RetainedLayer out{rival_input("query", layer), rival_input("key", layer),
                    rival_input("value", layer), rival_input("attention", layer)};
  for (int pair = 0; pair < 32; ++pair) out.rope.push_back(std::pow(1e5, -pair / 32.0));
  out.layer = std::stoll(layer);
  out.n_layers = 30;
  return out;
}

}  // namespace qaq::test
