#include <array>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/cli/cuda_probe.h"
#include "app/cli/printable.h"
#include "app/wiring/device.h"
#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/base/version.h"
#include "core/engine/backend.h"
#include "core/tensor/product_check.h"
#include "core/tensor/vector_math.h"
#include "data/capture/h5_version.h"
#include "data/models/model_store.h"

namespace qaq::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string compiler_name() {
#ifdef __clang__
  return __VERSION__;
#else
  return "GCC " __VERSION__;
#endif
}

Json cuda_json() {
  const CudaProbe probe = probe_cuda();
  Json json{{"backend", has_cuda_backend()}, {"driver", nullptr}, {"devices", probe.devices}};
  if (!probe.driver.empty()) json["driver"] = probe.driver;
  if (!probe.problem.empty()) json["problem"] = probe.problem;
  return json;
}

Json models_json(const ModelStore& store) {
  Json fetched = Json::array();
  for (const KnownModel& model : ModelStore::known()) {
    if (store.has(model)) fetched.push_back(model.name);
  }
  return {{"folder", store.folder().string()}, {"fetched", fetched}};
}

// What the environment makes OpenBLAS do differently.
Json blas_environment() {
  Json settings = Json::object();
  for (const char* name : {"OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS"}) {
    if (const char* value = std::getenv(name)) settings[name] = value;
  }
  return settings;
}

Json products_json() {
  Json products = Json::array();
  for (const ProductCheck& check : check_products()) {
    products.push_back({{"name", check.name}, {"error", check.error}, {"right", check.right()}});
  }
  return products;
}

Json doctor_json() {
  const DeviceInfo device = make_cpu_backend()->info();
  return {{"version", program_version()},
          {"commit", program_commit()},
          {"compiler", compiler_name()},
          {"processor", device.name},
          {"simd", simd_target_name()},
          {"threads", thread_count()},
          {"available_bytes", device.available_bytes},
          {"products", products_json()},
          {"blas_environment", blas_environment()},
          {"hdf5", hdf5_version()},
          {"qt", QAQ_QT_VERSION},
          {"cuda", cuda_json()},
          {"models", models_json(ModelStore())}};
}

std::string joined(const Json& texts) {
  std::string out;
  for (const Json& text : texts) out += (out.empty() ? "" : ", ") + text.get<std::string>();
  return out;
}

std::string cuda_text(const Json& cuda) {
  std::string text = cuda.value("problem", "");
  if (text.empty()) {
    text =
        cat("driver for CUDA ", cuda["driver"].get<std::string>(), ", ", joined(cuda["devices"]));
  }
  return text + (cuda["backend"].get<bool>() ? "; this build has the CUDA backend"
                                             : "; this build has no CUDA backend");
}

// "right, 0.021 of the error that rounding allows"
std::string product_text(const Json& product) {
  const Json& error = product["error"];  // null: not a number
  std::array<char, 64> share{};
  std::snprintf(share.data(), share.size(), "%.2g", error.is_null() ? NAN : error.get<double>());
  return cat(product["right"].get<bool>() ? "PASS" : "WRONG", ", ", share.data(),
             " of the error that rounding allows: ", product["name"].get<std::string>());
}

std::string models_text(const Json& models) {
  const std::string fetched = joined(models["fetched"]);
  return models["folder"].get<std::string>() +
         (fetched.empty() ? ": no known model yet (qaq model fetch smollm2-135m)" : ": " + fetched);
}

void print_text(const Json& health) {
  const auto line = [](const char* name, const std::string& text) {
    std::printf("%-16s %s\n", name, printable(text).c_str());
  };
  line("qaq", cat(health["version"].get<std::string>(), " (", health["commit"].get<std::string>(),
                  "), ", health["compiler"].get<std::string>()));
  line("processor",
       cat(health["processor"].get<std::string>(), ", ", health["threads"].dump(), " threads"));
  line("SIMD", health["simd"].get<std::string>());
  line("memory", byte_text(health["available_bytes"].get<std::int64_t>()) + " available");
  for (const Json& product : health["products"]) line("products", product_text(product));
  for (const auto& [name, value] : health["blas_environment"].items()) {
    line("environment", name + "=" + value.get<std::string>());
  }
  line("HDF5", health["hdf5"].get<std::string>());
  const std::string qt = health["qt"].get<std::string>();
  line("window", qt.empty() ? "not in this build (Qt)" : "Qt " + qt);
  line("CUDA", cuda_text(health["cuda"]));
  line("models", models_text(health["models"]));
}

void run(const CommonOptions& common) {
  const Json health = doctor_json();
  if (common.json) {
    print_json(health);
  } else {
    print_text(health);
  }
  require_right_products();  // after the report, which says what the refused one is
}

}  // namespace

void add_doctor(CLI::App& program, const CommonOptions& common) {
  CLI::App* command = program.add_subcommand(
      "doctor", "What the program runs on, and whether its matrix products are right here");
  command->footer(
      "Exit code 1 where products are wrong.\n"
      "Examples:\n  qaq doctor\n  qaq doctor --json");
  command->callback([&common] { run(common); });
}

}  // namespace qaq::cli
