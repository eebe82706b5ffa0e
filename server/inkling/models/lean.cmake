# Read by CMake at the start of llama-cpp-python's project (CMAKE_PROJECT_llama_cpp_INCLUDE).
# Its CMakeLists forces LLAMA_BUILD_COMMON on in the cache; a normal variable of that name wins
# over the cache (policy CMP0126), and llama.cpp's common library and everything that hangs on
# it, of which Inkling uses nothing, is left out.
set(LLAMA_BUILD_COMMON OFF)
