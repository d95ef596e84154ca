#include "app/wiring/origin.h"

#include <nlohmann/json.hpp>

#include "core/base/parallel.h"
#include "core/base/version.h"

namespace qaq {

nlohmann::ordered_json provenance_of(const Origin& origin) {
  return {{"program", origin.program},  {"version", program_version()},
          {"commit", program_commit()}, {"command_line", origin.command_line},
          {"backend", "cpu"},           {"n_threads", thread_count()}};
}

}  // namespace qaq
