// What nvcc makes of the kernels: nothing spills, no kernel takes more registers or shared memory
// than the line before it says, as many of its blocks as that line says fit an SM, and the machine
// code holds nothing that would depend on an order.

#include <algorithm>
#include <climits>
#include <cuda_occupancy.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace qaq::test {
namespace {

namespace fs = std::filesystem;

// Of a kernel: the most that one of its instances may take, and how many blocks must fit an SM.
struct Promise {
  std::string kernel;
  int registers = 0;
  int shared = 0;
  int threads = 0;
  int blocks = 0;
};

// What one instance takes.
struct Entry {
  std::string name;  // mangled
  int registers = 0;
  int shared = 0;
  int threads = 0;
  int blocks = 0;  // that its launch bounds ask for; 0: they do not
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

fs::path report_of(const fs::path& kernel) {
  return fs::path(QAQ_CODE_FOLDER) / (kernel.stem().string() + ".ptxas");
}

// nvcc names the architecture where it compiles for several.
std::string ptx_of(const std::string& stem) {
  const fs::path folder = QAQ_CODE_FOLDER, of_several = folder / (stem + ".compute_90.ptx");
  const std::string ptx = text_of(fs::exists(of_several) ? of_several : folder / (stem + ".ptx"));
  EXPECT_NE(ptx.find(".target sm_90"), std::string::npos) << stem;
  return ptx;
}

// "// resources: registers 40, shared 4096, threads 256, blocks 6" before each kernel.
std::vector<Promise> promised(const std::string& source) {
  static const std::regex kLine(
      R"(// resources: registers (\d+), shared (\d+), threads (\d+), blocks (\d+)\n)"
      R"((?:template <[^\n]*>\n)?__global__ void __launch_bounds__\([^)]*\)\s+(\w+)\()");
  std::vector<Promise> out;
  for (std::sregex_iterator at(source.begin(), source.end(), kLine), end; at != end; ++at) {
    const std::smatch& m = *at;
    out.push_back({m[5], std::stoi(m[1]), std::stoi(m[2]), std::stoi(m[3]), std::stoi(m[4])});
  }
  return out;
}

std::ptrdiff_t count_of(const std::string& text, const char* pattern) {
  const std::regex expression(pattern);
  return std::distance(std::sregex_iterator(text.begin(), text.end(), expression), {});
}

int number_in(const std::string& line, const char* pattern) {
  std::smatch found;
  return std::regex_search(line, found, std::regex(pattern)) ? std::stoi(found[1]) : 0;
}

// Registers and shared memory as ptxas reports them, launch bounds as the PTX has them.
std::vector<Entry> entries(const std::string& report, const std::string& ptx) {
  std::map<std::string, std::pair<int, int>> bounds;
  static const std::regex kBounds(
      R"(\.entry (\w+)\([^)]*\)\s*\.maxntid (\d+), 1, 1\s*(?:\.minnctapersm (\d+))?)");
  for (std::sregex_iterator at(ptx.begin(), ptx.end(), kBounds), end; at != end; ++at) {
    const std::smatch& m = *at;
    bounds[m[1]] = {std::stoi(m[2]), m[3].matched ? std::stoi(m[3]) : 0};
  }
  std::vector<Entry> out;
  std::istringstream lines(report);
  std::string name;
  for (std::string line; std::getline(lines, line);) {
    static const std::regex kEntry(R"(Compiling entry function '(\w+)')");
    std::smatch found;
    if (std::regex_search(line, found, kEntry)) name = found[1];
    if (line.find("Used ") == std::string::npos) continue;
    out.push_back({name, number_in(line, R"(Used (\d+) registers)"),
                   number_in(line, R"((\d+) bytes smem)"), bounds[name].first,
                   bounds[name].second});
  }
  return out;
}

// On an H100, with no other kernel beside it.
int blocks_per_sm(const Entry& entry) {
  cudaOccDeviceProp h100{};
  h100.computeMajor = 9;
  h100.maxThreadsPerBlock = 1024;
  h100.maxThreadsPerMultiprocessor = 2048;
  h100.regsPerBlock = h100.regsPerMultiprocessor = 65536;
  h100.warpSize = 32;
  h100.sharedMemPerBlock = 48 << 10;
  h100.sharedMemPerMultiprocessor = 228 << 10;
  h100.numSms = 132;
  h100.sharedMemPerBlockOptin = 227 << 10;
  h100.reservedSharedMemPerBlock = 1 << 10;
  cudaOccFuncAttributes kernel{};
  kernel.maxThreadsPerBlock = INT_MAX;
  kernel.numRegs = entry.registers;
  kernel.sharedSizeBytes = static_cast<std::size_t>(entry.shared);
  const cudaOccDeviceState state{};
  cudaOccResult result{};
  const cudaOccError status =
      cudaOccMaxActiveBlocksPerMultiprocessor(&result, &h100, &kernel, &state, entry.threads, 0);
  EXPECT_EQ(status, CUDA_OCC_SUCCESS) << entry.name;
  return result.activeBlocksPerMultiprocessor;
}

TEST(KernelCode, NothingSpillsAndNothingGrewUnseen) {
  ASSERT_GE(kernels().size(), 6u);
  for (const fs::path& kernel : kernels()) {
    SCOPED_TRACE(kernel.filename().string());
    const std::string source = text_of(kernel), report = text_of(report_of(kernel));
    EXPECT_EQ(
        count_of(report, "bytes stack frame"),
        count_of(report, R"(\b0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads)"))
        << report;
    const std::vector<Promise> promises = promised(source);
    EXPECT_EQ(std::ssize(promises), count_of(source, "__global__"))
        << "no line '// resources: …' before a kernel, or one before none";
    std::map<std::string, int> least_blocks;
    for (const Entry& entry : entries(report, ptx_of(kernel.stem()))) {
      SCOPED_TRACE(entry.name);
      const auto promise = std::ranges::find_if(promises, [&](const Promise& p) {
        return entry.name.find(std::to_string(p.kernel.size()) + p.kernel) != std::string::npos;
      });
      ASSERT_NE(promise, promises.end());
      EXPECT_LE(entry.registers, promise->registers);
      EXPECT_LE(entry.shared, promise->shared);
      EXPECT_GT(entry.threads, 0) << "no launch bounds";
      EXPECT_LE(entry.threads, promise->threads);
      const int blocks = blocks_per_sm(entry);
      EXPECT_GE(blocks, entry.blocks) << "than the launch bounds ask for";
      int& least = least_blocks.try_emplace(promise->kernel, blocks).first->second;
      least = std::min(least, blocks);
    }
    for (const Promise& promise : promises) {
      ASSERT_TRUE(least_blocks.contains(promise.kernel)) << promise.kernel << " is never compiled";
      EXPECT_GE(promise.blocks, 2) << promise.kernel << " alone on an SM hides nothing";
      EXPECT_GE(least_blocks[promise.kernel], promise.blocks)
          << promise.kernel << ": fewer blocks fit an SM";
    }
  }
}

TEST(KernelCode, HasNoLocalMemoryAndNoAtomicSums) {
  for (const fs::path& kernel : kernels()) {
    SCOPED_TRACE(kernel.filename().string());
    const std::string ptx = ptx_of(kernel.stem());
    EXPECT_NE(ptx.find(".entry"), std::string::npos);
    EXPECT_EQ(ptx.find(".local"), std::string::npos);
    for (const char* pattern :
         {R"(\batom[.a-z]*\.add[.a-z]*\.f)", R"(\bred[.a-z]*\.add[.a-z]*\.f)"}) {
      EXPECT_FALSE(std::regex_search(ptx, std::regex(pattern))) << pattern;
    }
  }
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
