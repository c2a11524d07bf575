# Warnings, hardening and sanitizers for every target of the project.
add_compile_options(
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
    -Wcast-qual -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough -Wno-sign-conversion)
if(AFF_WERROR)
    add_compile_options(-Werror)
endif()
add_compile_definitions(_GNU_SOURCE AFF_VERSION="${PROJECT_VERSION}")

# assert() guards against our own bugs and stays on in release builds.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT AFF_SANITIZE)
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection)
    add_link_options(-Wl,-z,relro,-z,now -pie)
endif()

if(AFF_SANITIZE)
    add_compile_options(-fsanitize=${AFF_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
    add_link_options(-fsanitize=${AFF_SANITIZE})
endif()
if(AFF_FUZZ)
    # Every library tells the fuzzer which branches an input reaches; the targets alone link its main().
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(AFF_COVERAGE)
    add_compile_options(--coverage -O0 -g)
    add_link_options(--coverage)
endif()
