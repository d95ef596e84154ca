#include "tests/gpu_check/machine.h"

#include <algorithm>
#include <sstream>
#include <vector>

#include "core/base/error.h"
#include "gpu/device/cublas.h"
#include "gpu/device/probe.h"

namespace qaq::gpu_check {

Machine find_machine() {
  const cuda::Probe found = cuda::probe();
  if (!found.problem.empty()) {
    throw Error(ErrorKind::work, {.place = "GPU",
                                  .what = found.problem,
                                  .cure = "gpu_check needs one; the shim's build runs without"});
  }
  Machine machine{.name = found.name,
                  .capability = found.capability,
                  .driver = found.driver,
                  .runtime = found.runtime,
                  .products = ""};
  std::string why_not;
  const auto library = cuda::CublasLt::open(why_not);
  machine.products = library ? "cuBLASLt " + library->version() : "own products (" + why_not + ")";
  add_datasheet(machine);
  return machine;
}

void add_datasheet(Machine& machine) {
  std::istringstream in(machine.name);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  const auto has = [&](const char* word) { return std::ranges::find(words, word) != words.end(); };
  // Cards of the same name with other memory, and parts of a card.
  if (has("PCIe") || has("NVL") || has("MIG")) return;
  if (!has("H100") && !has("H200")) return;
  machine.memory_rate = has("H200") ? 4.8e12 : 3.35e12;
  machine.f32_rate = 67e12;
  machine.half_rate = 989e12;
}

}  // namespace qaq::gpu_check
