#include <fstream>
#include <string>
#include <unistd.h>

#include "core/engine/backend.h"
#include "core/engine/cpu_ops.h"
#include "core/tensor/product_check.h"

namespace qaq {
namespace {

// MemAvailable counts what the page cache would give back; sysconf's free pages do not.
std::int64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  std::string name, unit;
  std::int64_t kilobytes = 0;
  while (file >> name >> kilobytes) {
    if (name == "MemAvailable:") return kilobytes * 1024;
    std::getline(file, unit);
  }
  return static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind("model name", 0) != 0) continue;
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

class CpuBackend : public Backend {
 public:
  DeviceInfo info() const override { return {"cpu", processor_name(), {}, available_memory()}; }
  MemoryPlan plan(const ModelSource& model, const EngineLimits& limits) const override {
    return plan_memory(model.spec(), limits, weight_bytes(model, limits));
  }
  std::unique_ptr<Engine> open(std::shared_ptr<const ModelSource> model, const EngineLimits& limits,
                               const Work& work) const override {
    require_right_products();
    require_memory(plan(*model, limits), limits, available_memory());
    auto ops = std::make_unique<CpuOps>(model->spec(), limits);
    return std::make_unique<Engine>(std::move(model), std::move(ops), limits, work);
  }
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend() { return std::make_unique<CpuBackend>(); }

}  // namespace qaq
