// What nvcc makes of the kernels: nothing spills, no kernel takes more registers or shared memory
// than the line before it says, and the machine code holds nothing that would depend on an order.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace qaq::test {
namespace {

namespace fs = std::filesystem;

struct Resources {
  int registers = 0;
  int shared = 0;
  int threads = 0;
};

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::vector<fs::path> kernels() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(QAQ_KERNEL_FOLDER)) {
    if (entry.path().extension() == ".cu") out.push_back(entry.path());
  }
  std::ranges::sort(out);
  return out;
}

fs::path code_of(const fs::path& kernel, const char* ending) {
  return fs::path(QAQ_CODE_FOLDER) / (kernel.stem().string() + ending);
}

// "// resources: registers 40, shared 4096, threads 256" before each kernel.
std::vector<Resources> promised(const fs::path& kernel) {
  static const std::regex kLine(R"(// resources: registers (\d+), shared (\d+), threads (\d+)\n)");
  const std::string source = text_of(kernel);
  std::vector<Resources> out;
  for (std::sregex_iterator at(source.begin(), source.end(), kLine), end; at != end; ++at) {
    out.push_back({std::stoi((*at)[1]), std::stoi((*at)[2]), std::stoi((*at)[3])});
  }
  return out;
}

int number_in(const std::string& line, const char* pattern) {
  std::smatch found;
  return std::regex_search(line, found, std::regex(pattern)) ? std::stoi(found[1]) : 0;
}

TEST(KernelCode, NothingSpillsAndNothingGrewUnseen) {
  constexpr int kRegistersOfAnSm = 65536;
  ASSERT_GE(kernels().size(), 6u);
  for (const fs::path& kernel : kernels()) {
    SCOPED_TRACE(kernel.filename().string());
    const std::vector<Resources> limits = promised(kernel);
    ASSERT_FALSE(limits.empty()) << "no line '// resources: …' before a kernel";
    for (const Resources& limit : limits) {
      EXPECT_LE(2 * limit.registers * limit.threads, kRegistersOfAnSm)
          << "fewer than two blocks of " << limit.threads << " threads fit an SM";
    }
    std::istringstream report(text_of(code_of(kernel, ".ptxas")));
    int n_entries = 0;
    for (std::string line; std::getline(report, line);) {
      if (line.find("stack frame") != std::string::npos) {
        EXPECT_NE(line.find("0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads"),
                  std::string::npos)
            << line;
      }
      if (line.find("Used ") == std::string::npos) continue;
      ++n_entries;
      const int registers = number_in(line, R"(Used (\d+) registers)");
      const int shared = number_in(line, R"((\d+) bytes smem)");
      EXPECT_TRUE(std::ranges::any_of(limits, [&](const Resources& limit) {
        return registers <= limit.registers && shared <= limit.shared;
      })) << line;
    }
    EXPECT_GE(n_entries, 1);
    EXPECT_LE(static_cast<std::size_t>(n_entries) == 0 ? 0u : limits.size(),
              static_cast<std::size_t>(n_entries))
        << "a line '// resources: …' belongs to no kernel";
  }
}

TEST(KernelCode, HasNoLocalMemoryAndNoAtomicSums) {
  for (const fs::path& kernel : kernels()) {
    SCOPED_TRACE(kernel.filename().string());
    const std::string ptx = text_of(code_of(kernel, ".ptx"));
    EXPECT_NE(ptx.find(".entry"), std::string::npos);
    EXPECT_EQ(ptx.find(".local"), std::string::npos);
    for (const char* pattern :
         {R"(\batom[.a-z]*\.add[.a-z]*\.f)", R"(\bred[.a-z]*\.add[.a-z]*\.f)"}) {
      EXPECT_FALSE(std::regex_search(ptx, std::regex(pattern))) << pattern;
    }
  }
}

std::string ptx_of(const char* name) {
  return text_of(fs::path(QAQ_CODE_FOLDER) / (std::string(name) + ".ptx"));
}

// Bandwidth is what they are for: 16 bytes a load.
TEST(KernelCode, KernelsThatReadMuchLoadSixteenBytesAtATime) {
  for (const char* name : {"linear", "norm", "half_linear", "dequantize_weights", "logits_top",
                           "key_scores", "value_mix", "attention_stats"}) {
    const std::string ptx = ptx_of(name);
    EXPECT_TRUE(std::regex_search(ptx, std::regex(R"(ld\.global[.a-z]*\.v4)"))) << name;
  }
}

TEST(KernelCode, ProductsIn16BitsUseTheTensorCores) {
  for (const char* name :
       {"half_linear", "attention_prefill", "attention_decode", "key_scores", "value_mix"}) {
    EXPECT_NE(ptx_of(name).find("mma.sync.aligned.m16n8k16"), std::string::npos) << name;
  }
}

// What must equal core's numbers bit for bit rounds after every operation, as core does.
TEST(KernelCode, PlansAndCodesAreNotContracted) {
  for (const char* name :
       {"unit_stats", "importance", "plan_bits", "write_pages", "unpack_pages", "quantize_rows"}) {
    EXPECT_FALSE(std::regex_search(ptx_of(name), std::regex(R"(\bfma\.)"))) << name;
  }
}

}  // namespace
}  // namespace qaq::test
