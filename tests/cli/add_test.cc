/// `add` with each of its flags, as people type it. The CIDs are those that Kubo 0.43 prints for
/// the same content and flags, in a repository with profile unixfs-v1-2025.

#include "cli/program.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace {

namespace fs = std::filesystem;

using ic::testing_support::Finished;
using ic::testing_support::Program;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* hello = "bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am";
constexpr const char* x = "bafkreidtzm4frjuhvbeuzizsgbjqcyuc6pnnhhkcz5rmuttz3wrkvr6zvq";
constexpr const char* link_to_a = "bafybeibysfkbozujnkzmx63h6nk4td2kmqcyhxhq67adb6vgr3mis24ble";
constexpr const char* empty_folder = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";
constexpr const char* folder_a = "bafybeiedw3iwnicthtnq3edvupcyjcb43f6qbwxvddgrckuqes53wsu6xy";

std::string line_of(const std::string& cid, const std::string& name) {
    return "added " + cid + " " + name + "\n";
}

class Add : public testing::Test {
protected:
    void SetUp() override {
        for (const char* folder : {"t/a", "t/empty", "t/sub/e", "t/zz"}) {
            fs::create_directories(at(folder));
        }
        write("t/a.txt", "hello\n");
        write("t/a/x", "x\n");
        write("t/two\nlines\\", "z");
        write("t/.hid", "s\n");
        write("t/\xff", "");
        fs::create_symlink("a.txt", at("t/link"));
    }

    std::string at(const std::string& name) const { return program.folder() + "/" + name; }

    void write(const std::string& name, const std::string& content) const {
        std::ofstream(at(name), std::ios::binary) << content;
    }

    /// Bytes i*i*7 + i modulo 251.
    std::string write_big() const {
        std::string content;
        for (std::uint64_t i = 0; i < 700'000; ++i) {
            content.push_back(static_cast<char>((i * i * 7 + i) % 251));
        }
        write("big", content);
        return at("big");
    }

    /// What `add -Q` and these words print, without the end of the line.
    std::string cid(std::vector<std::string> words) const {
        words.insert(words.begin(), {"add", "-Q"});
        const Finished done = program(words);
        EXPECT_EQ(done.status, 0) << done.err;
        return done.out.substr(0, done.out.find('\n'));
    }

    /// The message of `add` with these words, which must be refused with `status`.
    std::string refusal(std::vector<std::string> words, int status = 120) const {
        words.insert(words.begin(), "add");
        const Finished done = program(words);
        EXPECT_EQ(done.status, status) << done.out << done.err;
        EXPECT_EQ(done.out, "");
        return done.err;
    }

    Program program;
};

TEST_F(Add, PrintsFilesAndThenFoldersAsKuboDoes) {
    const std::string files =
        line_of(x, "t/a/x") + line_of(hello, "t/a.txt") + line_of(link_to_a, "t/link") +
        line_of("bafkreiczjzizvzezgevssqz3pxmks77qndppzouxkw3nluaoqtcsjvt3ay",
                "t/two\\nlines\\\\") +
        line_of("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", "t/\xff");
    const std::string folders =
        line_of(folder_a, "t/a") + line_of(empty_folder, "t/empty") +
        line_of(empty_folder, "t/sub/e") +
        line_of("bafybeib4yeqdymlyylt44ykoxddycgnavqnoatqyxhtfsjpsv4suyxlaua", "t/sub") +
        line_of(empty_folder, "t/zz") +
        line_of("bafybeieddcbzmh6dgzsp5imlyoxfnuwzagyxtjvmdrjswrcrvidq2dgf4a", "t");
    EXPECT_EQ(program({"add", "-r", at("t")}).out, files + folders);
    EXPECT_EQ(program({"add", "-r", "-w", at("t")}).out,
              files + folders +
                  line_of("bafybeihkkzyyc4zoblmhs7ok6jedfuwfrfik5agnkt4bpxtrxnbiqw2cqq", ""));
    EXPECT_EQ(program({"add", "-r", "-q", at("t/a")}).out, std::string(x) + "\n" + folder_a + "\n");
    EXPECT_EQ(program({"add", "-r", "--silent", at("t")}).out, "");
}

TEST_F(Add, SortsWhatIsNamedAndTakesItOnce) {
    EXPECT_EQ(program({"add", "-w", "-r", at("t/a.txt"), at("t/a"), at("t/../t/a/")}).out,
              line_of(x, "a/x") + line_of(hello, "a.txt") + line_of(folder_a, "a") +
                  line_of("bafybeibnalpf45qqtu7gtevxm74mpphcnwz25m7zezy34jlhtxbbb6ezlq", ""));
    write("t/sub/a.txt", "other");
    EXPECT_THAT(refusal({at("t/a.txt"), at("t/sub/a.txt")}), HasSubstr("two things are called"));
}

TEST_F(Add, NamesStandardInput) {
    const std::string hi = "bafkreiey5jxe6ilpf62lnh77tm5ejbbmhbugzjuf6p2v3remlu73ced34q";
    EXPECT_EQ(program({"add", "-w"}, {.input = "hi\n"}).out,
              line_of(hi, hi) +
                  line_of("bafybeibztozk6dtrp6y7ghftpyvyrl5eohs5bh4ct43msqyqlaenqlq6bm", ""));
    EXPECT_EQ(program({"add", "--stdin-name=foo"}, {.input = "hi\n"}).out, line_of(hi, "foo"));
    EXPECT_THAT(refusal({"--stdin-name=a/b"}), HasSubstr("--stdin-name is one name"));
}

TEST_F(Add, ChoosesWhatIsTaken) {
    EXPECT_EQ(cid({"-r", "-H", at("t")}),
              "bafybeif5e2erxw2cv4clisbta5wouscspl4wef6ymfxnay54eirruhqaji");
    EXPECT_EQ(cid({"-r", "-E=false", at("t")}),
              "bafybeier5qmz4npdcxoycwzdjyhbsfm7xbg6xsxq36jwpros5ays3r443a");
    EXPECT_EQ(cid({"-r", "--empty-dirs=false", at("t/zz")}), empty_folder);
    EXPECT_EQ(cid({"-r", "--ignore=a*", "--ignore=!a.txt", at("t")}),
              "bafybeig3cavbvo3crtah7qauqaxfoti4kzarojxy6dvbu6apaqonex5rbm");
    write("rules", "# not a\na*\n!a.txt\n");
    EXPECT_EQ(cid({"-r", "--ignore-rules-path", at("rules"), at("t")}),
              "bafybeig3cavbvo3crtah7qauqaxfoti4kzarojxy6dvbu6apaqonex5rbm");
}

TEST_F(Add, SaysWhatIsWrongWithRules) {
    EXPECT_THAT(refusal({"--ignore=c++", at("t/a.txt")}),
                HasSubstr("usage: --ignore: ignore rule 'c++': '+' needs a '\\' in front of it"));
    EXPECT_THAT(refusal({"--ignore-rules-path", at("none"), at("t/a.txt")}),
                HasSubstr("there is no file " + at("none")));
    write("rules", "ok\n[\n");
    EXPECT_THAT(refusal({"--ignore-rules-path", at("rules"), at("t/a.txt")}),
                HasSubstr(at("rules") + ": line 2: "));
    EXPECT_EQ(program({"add", "-Q", "--ignore=build/", at("t/a.txt")}).err,
              "note: the ignore rule 'build/' matches nothing: rules are compared with names, not "
              "paths\n");
}

TEST_F(Add, FollowsLinksWhenAsked) {
    EXPECT_EQ(program({"add", at("t/link")}).out, line_of(link_to_a, "link"));
    EXPECT_EQ(program({"add", "--dereference-args", at("t/link")}).out, line_of(hello, "a.txt"));
    EXPECT_EQ(cid({"-r", "--dereference-symlinks", at("t")}),
              "bafybeif62je7auq46tbvid7zg7e7x6vhc4up4lrwisnuev5vjl6hvhswmq");
    fs::create_symlink("../..", at("t/sub/up"));
    EXPECT_THAT(refusal({"-r", "-Q", "--dereference-symlinks", at("t/sub")}, 121),
                HasSubstr("leads back to"));
}

TEST_F(Add, TakesTheFlagsThatDecideACid) {
    const std::string a = at("t/a.txt");
    EXPECT_EQ(cid({"--raw-leaves=false", a}),
              "bafybeiffndsajwhk3lwjewwdxqntmjm4b5wxaaanokonsggenkbw6slwk4");
    EXPECT_EQ(cid({"--hash=blake3", a}),
              "bafkr4ieojr6bxgo37viopkkrqx7k2xxbish2sbfc7xlxr2xv6ln72yu2te");
    EXPECT_EQ(
        cid({"--hash=sha2-512", a}),
        "bafkrgqhhyivzstcz3hhswshfjgy6ertgmnqeleynhwt4dlfsthi4hn7zgh4uvlsb5xncykzapi3ocd4lzogu"
        "kir6ksdy6wzrnz6ohnv4aglcs");
    EXPECT_EQ(cid({"--inline", a}), "bafkqabtimvwgy3yk");
    EXPECT_EQ(cid({"--inline", "--inline-limit=5", a}), hello);
    EXPECT_EQ(cid({"-t", a}), "bafybeigpgaoxwissi4xixryrsyvm35d5ifxjngjlfnps5p46hrts3ncxta");
    EXPECT_EQ(cid({"--profile=none", a}), "QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN");
    EXPECT_EQ(cid({"--profile=none", "--cid-version=1", a}), hello);
    const std::string big = write_big();
    EXPECT_EQ(cid({"-s", "size-100000", "--max-file-links=3", big}),
              "bafybeido3vkrpkaxnmzfnpl543zks4562gxg2nnak6hyh2qj4yku7hns34");
    EXPECT_EQ(cid({"--chunker=rabin-16384-65536-131072", big}),
              "bafybeifn6ytwczsytrya6v4lhwpdznwll3faknxzccyh4ycxncjjeya7ii");
    EXPECT_EQ(cid({"-s", "buzhash", big}),
              "bafybeiak57mqs47ppreyqstn3nfqywdvctx37rq5ugxdzkroqqvo4tog3m");
    EXPECT_EQ(cid({"-t", "-s", "size-1000", big}),
              "bafybeia2nbwfyjkoqdb777mqhn2zz2bsbyejryvheib2wxywimzi4i5mpu");
}

TEST_F(Add, TakesTheFlagsThatDecideADirectory) {
    fs::create_directory(at("d"));
    for (int number = 1; number <= 30; ++number) {
        write("d/" + std::to_string(number), std::to_string(number) + "\n");
    }
    EXPECT_EQ(cid({"-r", "--max-directory-links=20", at("d")}),
              "bafybeigfy5oywtjix37ahzky6wkpfcoq2gxxzur6k7m3n2awk2jub7lrx4");
    EXPECT_EQ(cid({"-r", "--max-directory-links=20", "--max-hamt-fanout=8", at("d")}),
              "bafybeibc3hmflc7qgsiaqfafxl335xxfbkgqluggtd5slbgj4w6rybd5ry");
}

TEST_F(Add, TakesTheFlagsOfModeAndTime) {
    const std::string a = at("t/a.txt");
    EXPECT_EQ(
        cid({"--raw-leaves=false", "--mode=0640", "--mtime=1700000000", "--mtime-nsecs=5", a}),
        "bafybeie6dtwvc5bjodx32l3isya3pivu5pdn5kfcfoesikm2ynxwitrmyi");
    EXPECT_EQ(program({"add", "--raw-leaves=false", "--mode=0640", "--mtime=-5", "-w", a}).out,
              line_of("bafybeicu3cyxowc2pqymjq3s2gmneuhrwtu4r7jkit6dxpovqtdvpifrse", "a.txt") +
                  line_of("bafybeifddmvbgp4yi5bvxc7wi2rv2a7qfbom6kky7w4z7ehstyr5pqrswu", ""));
    EXPECT_EQ(cid({"-r", "--raw-leaves=false", "--mode=0750", at("t/a")}),
              "bafybeieh46unwt6ogvbls4lsgoolckmxd5e7pchwhqsw2q3bwck6zkrndy");
    ASSERT_EQ(::chmod(a.c_str(), 0604), 0);
    const timespec times[2] = {{1'600'000'000, 250'000'000}, {1'600'000'000, 250'000'000}};
    ASSERT_EQ(::utimensat(AT_FDCWD, a.c_str(), times, 0), 0);
    EXPECT_EQ(cid({"--raw-leaves=false", "--preserve-mode", "--preserve-mtime", a}),
              "bafybeiefm6esd6kqrcefirda5ys2koskj3hb3c65qi3d5cfuhmadoxr3oe");
    EXPECT_EQ(cid({"--profile=none", "--mode=0600", a}),
              "QmWXtanbvhNL2gTvtBboUD9Ti8xTnHEUuEhZtPjSbh1PBs");
}

TEST_F(Add, RefusesWhatKuboRefuses) {
    const std::string a = at("t/a.txt");
    EXPECT_THAT(refusal({"-n", "--pin-name=x", a}), HasSubstr("--pin-name"));
    EXPECT_THAT(refusal({"--pin=false", "--pin-name=x", a}), HasSubstr("--pin-name needs --pin"));
    EXPECT_THAT(refusal({"--mtime-nsecs=5", a}), HasSubstr("mtime"));
    EXPECT_THAT(refusal({"--mode=0755", a}), HasSubstr("raw-leaves"));
    EXPECT_THAT(refusal({"--cid-version=0", "--hash=sha2-512", a}), HasSubstr("sha2-256"));
    EXPECT_THAT(refusal({"--cid-version=2", a}), HasSubstr("2"));
    EXPECT_THAT(refusal({"-s", "size-0", a}), StartsWith("ipfs-compute: usage: "));
    EXPECT_THAT(refusal({"-s", "foo", a}), HasSubstr("foo"));
    EXPECT_THAT(refusal({"--hash=nope", a}), HasSubstr("nope"));
    EXPECT_THAT(refusal({"--max-hamt-fanout=9", a}), HasSubstr("fanout"));
    EXPECT_THAT(refusal({"--inline", "--inline-limit=300", a}), HasSubstr("128"));
    EXPECT_THAT(refusal({"--profile=new", a}), HasSubstr("new"));
    EXPECT_THAT(refusal({at("t")}), HasSubstr(at("t") + " is a folder; add it with -r"));
    EXPECT_THAT(refusal({a, "/dev/null"}, 121), HasSubstr("/dev/null is a device"));
    EXPECT_THAT(refusal({at("none")}, 124), HasSubstr("cannot look at " + at("none")));
}

TEST_F(Add, SaysWhyItLacksWhatOnlyKuboHas) {
    EXPECT_THAT(refusal({"--to-files=/x", at("t/a.txt")}, 121),
                HasSubstr("--to-files: there is no mutable file system here"));
    EXPECT_THAT(refusal({"--fast-provide-wait", at("t/a.txt")}, 121),
                HasSubstr("--fast-provide-wait: nothing is announced"));
    EXPECT_EQ(cid({"--fast-provide-root=false", at("t/a.txt")}), hello);
    EXPECT_THAT(refusal({"https://example.com/a"}, 121),
                HasSubstr("curl -L https://example.com/a"));
}

TEST_F(Add, PrintsAnObjectALine) {
    EXPECT_EQ(program({"add", "--json", at("t/a.txt")}).out,
              "{\"bytes\":6,\"cid\":\"" + std::string(hello) + "\",\"name\":\"a.txt\"}\n");
}

TEST_F(Add, TakesNamesThatLookLikeFlags) {
    write("-name", "hello\n");
    const std::string words = "cd '" + program.folder() + "' && exec " IC_PROGRAM " add -- -name";
    const Finished done = ic::testing_support::run_process(
        {"/bin/sh", "-c", words}, {.environment = {"IPFS_COMPUTE_PATH=" + program.home()}});
    EXPECT_EQ(done.out, line_of(hello, "-name")) << done.err;
}

TEST_F(Add, PrintsWhatIsCompleteBeforeItFails) {
    fs::create_directory(at("p"));
    write("p/a", "hello\n");
    ASSERT_EQ(::mkfifo(at("p/b").c_str(), 0600), 0);
    const Finished done = program({"add", "-r", at("p")});
    EXPECT_EQ(done.status, 121);
    EXPECT_EQ(done.out, line_of(hello, "p/a"));
    EXPECT_THAT(done.err, HasSubstr(at("p/b") + " is a pipe"));
}

TEST_F(Add, SkipsWhatItsCacheKnows) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2100)); // Until the files are old enough.
    const std::string first = cid({"-r", "--fscache", at("t")});
    ASSERT_TRUE(fs::exists(program.home() + "/add-cache"));
    EXPECT_EQ(cid({"-r", "--fscache", at("t")}), first);
    EXPECT_EQ(cid({"-r", at("t")}), first);
    write("t/a.txt", "hullo\n"); // Of the same length.
    EXPECT_NE(cid({"-r", "--fscache", at("t")}), first);
    write("t/a.txt", "hello\n");
    EXPECT_EQ(cid({"-r", "--fscache", at("t")}), first);
    fs::remove_all(program.home() + "/blocks");
    EXPECT_EQ(cid({"-r", "--fscache", at("t")}), first);
    EXPECT_EQ(program({"cat", hello, "--set", "kubo=off"}).out, "hello\n")
        << "a cache without its blocks is not believed";
}

std::uintmax_t bytes_below(const std::string& folder) {
    std::uintmax_t bytes = 0;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
        bytes += entry.is_regular_file() && entry.path().filename() != "lock.mdb"
                     ? entry.file_size()
                     : 0;
    }
    return bytes;
}

TEST_F(Add, LeavesDataWhereItIsWhenAsked) {
    std::string content;
    for (int number = 0; content.size() < 3'000'000; ++number) {
        content += std::to_string(number) + "\n";
    }
    write("t/large", content);
    const std::string words =
        "cd '" + program.folder() + "' && exec " IC_PROGRAM " add -Q --nocopy t/large";
    const Finished added = ic::testing_support::run_process(
        {"/bin/sh", "-c", words}, {.environment = {"IPFS_COMPUTE_PATH=" + program.home()}});
    ASSERT_EQ(added.status, 0) << added.err;
    const std::string root = added.out.substr(0, added.out.size() - 1);
    EXPECT_LT(bytes_below(program.home() + "/blocks"), 1'000'000U) << "it is not copied";
    EXPECT_EQ(root, cid({"-n", at("t/large")}));
    const std::vector<std::string> cat{"cat", root, "--set", "kubo=off"};
    EXPECT_TRUE(program(cat).out == content);

    std::string changed = content;
    changed[1'500'000] = '!';
    write("t/large", changed);
    const Finished damaged = program(cat);
    EXPECT_EQ(damaged.status, 124);
    EXPECT_THAT(damaged.err,
                HasSubstr("stays in " + at("t/large") +
                          " from byte 1048576 on, which "
                          "has changed since it was added with --nocopy"));
    EXPECT_TRUE(content.starts_with(damaged.out)) << "no wrong byte";
    write("t/large", content.substr(0, 2'500'000));
    EXPECT_THAT(program(cat).err, HasSubstr("from byte 2097152 on"));
    fs::remove(at("t/large"));
    const Finished gone = program(cat);
    EXPECT_EQ(gone.status, 124);
    EXPECT_THAT(gone.err, HasSubstr("cannot open " + at("t/large") + ": No such file"));
    EXPECT_THAT(gone.err, HasSubstr("put the file back, or add it again"));

    write("t/moved", content);
    EXPECT_EQ(cid({"--nocopy", at("t/moved")}), root);
    EXPECT_TRUE(program(cat).out == content) << "the new place counts";
    EXPECT_EQ(cid({at("t/moved")}), root);
    fs::remove(at("t/moved"));
    EXPECT_TRUE(program(cat).out == content) << "adding it without the flag made a copy";
}

TEST_F(Add, RefusesToLeaveDataWhereItIsNot) {
    EXPECT_THAT(refusal({"--nocopy"}),
                HasSubstr("--nocopy leaves data where it is; standard input"));
    EXPECT_THAT(refusal({"--nocopy", "--raw-leaves=false", at("t/a.txt")}),
                HasSubstr("raw-leaves"));
    EXPECT_EQ(cid({"-r", "--nocopy", "--fscache", at("t/a")}), folder_a);
    EXPECT_EQ(program({"cat", x}).out, "x\n");
}

TEST_F(Add, LeavesNothingBrokenWhenItIsInterrupted) {
    std::string content(std::size_t{64} << 20U, 'a');
    for (std::size_t index = 0; index < content.size(); index += 4096) {
        content[index] = static_cast<char>(index >> 12U);
        content[index + 1] = static_cast<char>(index >> 20U);
    }
    write("large", content);
    const std::string expected = cid({"-n", at("large")});
    for (const int milliseconds : {5, 20, 50, 90}) {
        std::vector<std::string> words{
            "IPFS_COMPUTE_PATH=" + program.home(), IC_PROGRAM, "add", "-Q", at("large")};
        std::vector<char*> arguments;
        for (std::size_t index = 1; index < words.size(); ++index) {
            arguments.push_back(words[index].data());
        }
        arguments.push_back(nullptr);
        char* const environment[] = {words[0].data(), nullptr};
        pid_t child = -1;
        ASSERT_EQ(
            ::posix_spawn(&child, IC_PROGRAM, nullptr, nullptr, arguments.data(), environment), 0);
        std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
        ::kill(child, SIGINT);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
    }
    EXPECT_EQ(cid({at("large")}), expected);
    EXPECT_TRUE(program({"cat", expected}).out == content);
}

TEST_F(Add, HelpsInGroups) {
    const std::string help = program({"add", "--help"}).out;
    for (const char* text : {"What is added:",
                             "What is printed:",
                             "What is kept:",
                             "What decides the CID",
                             "--max-hamt-fanout",
                             "Examples:"}) {
        EXPECT_THAT(help, HasSubstr(text));
    }
    EXPECT_EQ(help.find("fast-provide"), std::string::npos);
}

} // namespace
