#include "tests/gpu_check/options.h"

#include <algorithm>

#include "core/base/error.h"

namespace qaq::gpu_check {
namespace {

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

std::string usage_text(const std::vector<std::string>& steps) {
  return "gpu_check [--quick] [--only NAME] [--shim] [--data DIR] [--oracle DIR] [--slice DIR] "
         "[--model FILE] [--out DIR] [--commit ID]\n"
         "  --quick       small cases\n"
         "  --only NAME   one of: " +
         listed(steps) +
         "\n"
         "  --shim        on the host's SIMT shim: small cases, nothing is timed\n"
         "  --data DIR    tests/data of the source tree\n"
         "  --oracle DIR  what oracle.py wrote (build-gpu/oracle)\n"
         "  --slice DIR   what pack_model wrote (.gpu/model)\n"
         "  --model FILE  smollm2-135m, joined by parts.sh (build-gpu/smollm2-135m.gguf)\n"
         "  --out DIR     where to write gpu_check.json and taps/\n"
         "  --commit ID   of the source tree, where the build could not ask git\n";
}

Options parse_options(std::span<const char* const> arguments,
                      const std::vector<std::string>& steps) {
  Options options;
  const auto value_of = [&](std::size_t at) -> std::string {
    if (at >= arguments.size()) {
      refuse_usage({.place = arguments[at - 1], .what = "needs a value"});
    }
    return arguments[at];
  };
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string flag = arguments[i];
    if (flag == "--help" || flag == "-h") {
      options.help = true;
    } else if (flag == "--quick") {
      options.quick = true;
    } else if (flag == "--shim") {
      options.shim = true;
    } else if (flag == "--only") {
      options.only = value_of(++i);
    } else if (flag == "--data") {
      options.data = value_of(++i);
    } else if (flag == "--oracle") {
      options.oracle = value_of(++i);
    } else if (flag == "--slice") {
      options.slice = value_of(++i);
    } else if (flag == "--model") {
      options.model = value_of(++i);
    } else if (flag == "--out") {
      options.out = value_of(++i);
    } else if (flag == "--commit") {
      options.commit = value_of(++i);
    } else {
      refuse_usage({.place = flag, .what = "no such option", .cure = "see --help"});
    }
  }
  if (!options.only.empty() && std::ranges::find(steps, options.only) == steps.end()) {
    refuse_usage({.place = "--only " + options.only,
                  .what = "no such step",
                  .cure = "there are " + listed(steps)});
  }
  return options;
}

}  // namespace qaq::gpu_check
